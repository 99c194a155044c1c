// Asks for a page over TLS.
package main

import (
	"crypto/tls"
	"io"
	"net/http"
	"os"
)

func main() {
	os.Stdin.Read(make([]byte, 1)) // until we may begin, or there is nobody to say so
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	answer, err := (&http.Client{Transport: transport}).Get("https://127.0.0.1:" + os.Args[1])
	if err != nil {
		panic(err)
	}
	io.Copy(io.Discard, answer.Body)
}
