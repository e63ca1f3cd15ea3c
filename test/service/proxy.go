// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The proxy stands between a client and -to, and spoils what they say to each other. Its rules
// are read anew for every request, one a line, of which the first that fits counts:
//
//	FAULT[*TIMES] [text that the request holds]
//
// Without one that fits, the request passes. A path that begins with /~FAULT/ is a rule as well,
// and so is, with -tls-dir, a host FAULT.localhost: one proxy can be wrong in every way at once.
// The faults are the tables in spoil.go; "deaf", alone at the start, never accepts anything.
type proxy struct {
	rules, to string
	secure    *security // nil: plain
	mutex     sync.Mutex
	log       *json.Encoder
	used      map[string]int // by rule, how often it was taken
}

type rule struct {
	text, fault, holds string
	times              int
}

func runProxy(o *options, listener net.Listener) error {
	p := &proxy{rules: o.proxy, to: o.to, log: json.NewEncoder(io.Discard), used: map[string]int{}}
	if o.log != "" {
		file, err := os.OpenFile(o.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		p.log = json.NewEncoder(file)
	}
	if o.tlsDir != "" {
		secure, err := newSecurity(o.tlsDir, p)
		if err != nil {
			return err
		}
		p.secure = secure
	}
	go packedBomb()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	if first := p.read(); len(first) > 0 && first[0].fault == "deaf" {
		return deafen(listener.(*net.TCPListener), signals)
	}
	go func() {
		<-signals
		listener.Close()
	}()
	for {
		client, err := listener.Accept()
		if err != nil {
			return nil
		}
		go p.serve(client.(*net.TCPConn))
	}
}

// deafen fills the queue of the listener: whoever connects gets no answer at all.
func deafen(listener *net.TCPListener, signals chan os.Signal) error {
	raw, err := listener.SyscallConn()
	if err != nil {
		return err
	}
	raw.Control(func(fd uintptr) { err = syscall.Listen(int(fd), 0) })
	var queue []net.Conn
	for err == nil {
		var one net.Conn
		one, err = net.DialTimeout("tcp", listener.Addr().String(), 200*time.Millisecond)
		queue = append(queue, one)
	}
	<-signals
	runtime.KeepAlive(queue)
	return listener.Close() // not before, when nobody would seem to need it
}

func (p *proxy) read() []rule {
	text, _ := os.ReadFile(p.rules)
	var rules []rule
	for _, line := range strings.Split(string(text), "\n") {
		fault, holds, _ := strings.Cut(strings.TrimSpace(line), " ")
		if fault == "" {
			continue
		}
		r := rule{text: line, fault: fault, holds: strings.TrimSpace(holds), times: -1}
		if name, times, found := strings.Cut(fault, "*"); found {
			r.fault = name
			r.times, _ = strconv.Atoi(times)
		}
		rules = append(rules, r)
	}
	return rules
}

// choose: the fault for a request, or before there is one, where the request is nil.
func (p *proxy) choose(request []byte) string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, r := range p.read() {
		early := strings.HasPrefix(r.fault, "tls-")
		if early != (request == nil) || !bytes.Contains(request, []byte(r.holds)) {
			continue
		}
		if r.times >= 0 && p.used[r.text] >= r.times {
			continue
		}
		p.used[r.text]++
		return r.fault
	}
	return "pass"
}

func (p *proxy) record(fault string, request []byte) {
	line, _, _ := bytes.Cut(request, []byte("\n"))
	p.mutex.Lock()
	p.log.Encode(map[string]interface{}{
		"time": time.Now().UnixNano(), "fault": fault, "request": strings.TrimSpace(string(line)),
	})
	p.mutex.Unlock()
}

// /~FAULT/path: the fault, and the request as the server is to see it.
func byPath(request []byte) (string, []byte) {
	head, rest, found := bytes.Cut(request, []byte(" /~"))
	if !found || bytes.ContainsAny(head, " \r\n") {
		return "", request
	}
	fault, path, found := bytes.Cut(rest, []byte("/"))
	if !found || bytes.ContainsAny(fault, " \r\n") {
		return "", request
	}
	return string(fault), append(append(append([]byte{}, head...), " /"...), path...)
}

func (p *proxy) serve(client *net.TCPConn) {
	defer client.Close()
	conversation := net.Conn(client)
	if p.secure != nil {
		if conversation = p.secure.accept(client); conversation == nil {
			return
		}
		defer conversation.Close()
	}
	reader := bufio.NewReader(conversation)
	var server net.Conn
	for {
		request, err := nextRequest(reader)
		if err != nil {
			break
		}
		fault, request := byPath(request)
		if fault == "" {
			fault = p.choose(request)
		}
		p.record(fault, request)
		if fault != "pass" {
			(&spoiler{p, client, conversation, request}).spoil(fault)
			break
		}
		if server == nil {
			if server, err = p.dial(); err != nil {
				break
			}
			go relay(conversation, server)
		}
		server.Write(request)
	}
	if server != nil {
		server.Close()
	}
}

func relay(client, server net.Conn) {
	io.Copy(client, server)
	client.Close()
}

func (p *proxy) dial() (net.Conn, error) {
	network := "tcp"
	if strings.Contains(p.to, "/") {
		network = "unix"
	}
	return net.DialTimeout(network, p.to, 5*time.Second)
}

// nextRequest: a whole HTTP request, or whatever comes at once in another protocol.
func nextRequest(reader *bufio.Reader) ([]byte, error) {
	var request []byte
	for {
		if _, err := reader.Peek(1); err != nil {
			return nil, err
		}
		some := make([]byte, reader.Buffered())
		reader.Read(some)
		request = append(request, some...)
		head, body, found := bytes.Cut(request, []byte("\r\n\r\n"))
		if found && len(body) >= contentLength(head) {
			return request, nil
		}
		if !found && !bytes.Contains(request, []byte(" HTTP/1.")) {
			return request, nil
		}
		if len(request) > 1<<20 {
			return nil, errors.New("too large")
		}
	}
}

func contentLength(head []byte) int {
	_, rest, _ := strings.Cut(strings.ToLower(string(head)), "\r\ncontent-length:")
	line, _, _ := strings.Cut(rest, "\r\n")
	length, _ := strconv.Atoi(strings.TrimSpace(line))
	return length
}
