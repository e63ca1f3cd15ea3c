// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The tap sits in front of HAProxy's admin socket and writes one JSON line per command:
// {"sent": ns, "answered": ns, "command": "set weight …", "bytes": n}. A benchmark learns from
// it, without asking the tool under test, when the last counters arrived and when the next
// command left.
type tap struct {
	mutex sync.Mutex
	log   *json.Encoder
}

type exchange struct {
	Sent     int64  `json:"sent"`
	Answered int64  `json:"answered"`
	Command  string `json:"command"`
	Bytes    int    `json:"bytes"`
}

func runTap(o *options) error {
	os.Remove(o.tap)
	listener, err := net.Listen("unix", o.tap)
	if err != nil {
		return err
	}
	out := io.Writer(os.Stdout)
	if o.log != "" {
		if out, err = os.OpenFile(o.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644); err != nil {
			return err
		}
	}
	t := &tap{log: json.NewEncoder(out)}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-signals
		listener.Close()
	}()
	for {
		client, err := listener.Accept()
		if err != nil {
			return nil
		}
		go t.relay(client.(*net.UnixConn), o.to)
	}
}

func (t *tap) relay(client *net.UnixConn, to string) {
	defer client.Close()
	conn, err := net.Dial("unix", to)
	if err != nil {
		return
	}
	server := conn.(*net.UnixConn)
	defer server.Close()
	var mutex sync.Mutex
	var last exchange
	done := make(chan struct{})
	go func() {
		defer close(done)
		buffer := make([]byte, 65536)
		for {
			n, err := server.Read(buffer)
			if n > 0 {
				client.Write(buffer[:n])
				mutex.Lock()
				last.Answered, last.Bytes = time.Now().UnixNano(), last.Bytes+n
				mutex.Unlock()
			}
			if err != nil {
				client.CloseWrite()
				return
			}
		}
	}()
	buffer := make([]byte, 65536)
	for {
		n, err := client.Read(buffer)
		if n > 0 {
			now := time.Now().UnixNano()
			mutex.Lock()
			t.write(last)
			last = exchange{Sent: now, Command: strings.TrimSpace(string(buffer[:n]))}
			mutex.Unlock()
			server.Write(buffer[:n])
		}
		if err != nil {
			server.CloseWrite()
			break
		}
	}
	<-done
	t.write(last)
}

func (t *tap) write(e exchange) {
	if e.Command == "" {
		return
	}
	t.mutex.Lock()
	t.log.Encode(e)
	t.mutex.Unlock()
}
