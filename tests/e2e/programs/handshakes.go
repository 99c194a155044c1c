// Handshakes with itself in memory: for each line `VERSION COUNT` (12 or 13) so many, and of each a
// line with the nanoseconds that the client was busy and the server. In the folder are cert and key.
package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// One direction: bytes that were written and not yet read.
type pipe struct {
	lock  sync.Mutex
	come  *sync.Cond
	bytes []byte
}

func newPipe() *pipe {
	it := &pipe{}
	it.come = sync.NewCond(&it.lock)
	return it
}

// An end that knows how long it has waited.
type end struct {
	net.Conn
	in, out *pipe
	waited  time.Duration
}

func (it *end) Write(bytes []byte) (int, error) {
	it.out.lock.Lock()
	defer it.out.lock.Unlock()
	it.out.bytes = append(it.out.bytes, bytes...)
	it.out.come.Signal()
	return len(bytes), nil
}

func (it *end) Read(bytes []byte) (int, error) {
	before := time.Now()
	it.in.lock.Lock()
	defer it.in.lock.Unlock()
	for len(it.in.bytes) == 0 {
		it.in.come.Wait()
	}
	count := copy(bytes, it.in.bytes)
	it.in.bytes = it.in.bytes[count:]
	it.waited += time.Since(before)
	return count, nil
}

// How long it was busy.
func (it *end) shake(connection *tls.Conn) time.Duration {
	before := time.Now()
	if err := connection.Handshake(); err != nil {
		panic(err)
	}
	return time.Since(before) - it.waited
}

func main() {
	// One at a time: who does not wait has the processor.
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(-1)
	certificate, err := tls.LoadX509KeyPair("cert", "key")
	if err != nil {
		panic(err)
	}
	out := bufio.NewWriter(os.Stdout)
	var version uint16
	var count int
	for {
		if _, err := fmt.Fscan(os.Stdin, &version, &count); err != nil {
			return
		}
		runtime.GC()
		config := &tls.Config{
			Certificates:       []tls.Certificate{certificate},
			InsecureSkipVerify: true,
			MinVersion:         tls.VersionTLS12 + version - 12,
			MaxVersion:         tls.VersionTLS12 + version - 12,
		}
		for ; count > 0; count-- {
			there, back := newPipe(), newPipe()
			near, far := &end{in: back, out: there}, &end{in: there, out: back}
			served := make(chan time.Duration, 1)
			go func() { served <- far.shake(tls.Server(far, config)) }()
			client := near.shake(tls.Client(near, config))
			fmt.Fprintln(out, client.Nanoseconds(), (<-served).Nanoseconds())
		}
		fmt.Fprintln(out, "end")
		out.Flush()
	}
}
