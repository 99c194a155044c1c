// Answers requests over TLS.
package main

import (
	"net/http"
	"os"
)

func main() {
	answer := func(to http.ResponseWriter, _ *http.Request) { to.Write([]byte("hello\n")) }
	panic(http.ListenAndServeTLS("127.0.0.1:"+os.Args[1], "cert", "key", http.HandlerFunc(answer)))
}
