// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// spoiler: one request, and the client that waits for its answer.
type spoiler struct {
	proxy   *proxy
	raw     *net.TCPConn
	client  net.Conn // raw, or TLS over it
	request []byte
}

const (
	dripPause = 100 * time.Millisecond
	hugeBytes = 100 << 20
	bombBytes = 128 << 20
	mostTime  = 5 * time.Minute // then a proxy that everybody forgot gives up
	loginPage = "<!doctype html><title>Sign in</title><form><input name=user></form>"
)

// What can go wrong with any protocol.
var transport = map[string]func(*spoiler){
	"cut":     func(s *spoiler) {},
	"reset":   func(s *spoiler) { s.reset() },
	"lost":    func(s *spoiler) { s.answer(); s.reset() }, // done, but not said
	"half":    func(s *spoiler) { s.half() },
	"stall":   func(s *spoiler) { s.stall() },
	"drip":    func(s *spoiler) { s.drip() },
	"garbage": func(s *spoiler) { s.client.Write(chance(4096)) },
	"endless": func(s *spoiler) { s.pour("", -1) }, // not even a head
}

// What can go wrong within HTTP.
var hypertext = map[string]func(*spoiler){
	"head":     func(s *spoiler) { head, _ := s.parts(); s.client.Write(head[:len(head)/2]) },
	"empty":    func(s *spoiler) { s.reply("200 OK", "", "") },
	"page":     func(s *spoiler) { s.reply("200 OK", "Content-Type: text/html\r\n", loginPage) },
	"short":    func(s *spoiler) { s.wrongLength(-20) },
	"long":     func(s *spoiler) { s.wrongLength(20) },
	"chunks":   func(s *spoiler) { s.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n") },
	"huge":     func(s *spoiler) { s.pour(fmt.Sprintf("Content-Length: %d\r\n", hugeBytes), hugeBytes) },
	"flood":    func(s *spoiler) { s.pour("Connection: close\r\n", -1) },
	"heads":    func(s *spoiler) { s.repeat("HTTP/1.1 200 OK\r\n", "X-More: and more, and more\r\n") },
	"continue": func(s *spoiler) { s.repeat("", "HTTP/1.1 100 Continue\r\n\r\n") },
	"bomb":     func(s *spoiler) { s.bomb() },
	"loop":     func(s *spoiler) { s.reply("302 Found", "Location: "+s.path()+"\r\n", "") },
	"away":     func(s *spoiler) { s.reply("302 Found", "Location: http://127.0.0.2:1/\r\n", "") },
}

// spoil answers with the fault; a number is a status.
func (s *spoiler) spoil(fault string) {
	s.raw.SetDeadline(time.Now().Add(mostTime))
	if act := transport[fault]; act != nil {
		act(s)
	} else if act := hypertext[fault]; act != nil {
		act(s)
	} else if code, err := strconv.Atoi(fault); err == nil {
		s.reply(fmt.Sprintf("%d %s", code, http.StatusText(code)), "Retry-After: 1\r\n", "out of order\n")
	} else {
		s.reply("501 Not Implemented", "", "no such fault: "+fault+"\n")
	}
}

func (s *spoiler) say(text string) error {
	_, err := io.WriteString(s.client, text)
	return err
}

func (s *spoiler) reply(status, headers, body string) {
	s.say(fmt.Sprintf("HTTP/1.1 %s\r\n%sContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		status, headers, len(body), body))
}

func (s *spoiler) path() string {
	_, rest, _ := strings.Cut(string(s.request), " ")
	path, _, _ := strings.Cut(rest, " ")
	return "/~loop" + path
}

func (s *spoiler) reset() {
	s.raw.SetLinger(0)
	s.raw.Close()
}

// stall waits until the client hangs up.
func (s *spoiler) stall() {
	io.Copy(io.Discard, s.client)
}

func (s *spoiler) drip() {
	for _, letter := range s.answer() {
		if _, err := s.client.Write([]byte{letter}); err != nil {
			return
		}
		time.Sleep(dripPause)
	}
}

// answer is what the server says, to its end.
func (s *spoiler) answer() []byte {
	server, err := s.proxy.dial()
	if err != nil {
		return nil
	}
	defer server.Close()
	server.Write(bytes.Replace(s.request, []byte("\r\n"), []byte("\r\nConnection: close\r\n"), 1))
	server.SetReadDeadline(time.Now().Add(5 * time.Second))
	text, _ := io.ReadAll(server)
	return text
}

// parts: the head with its empty line, and the body; without a head all of it is body.
func (s *spoiler) parts() (head, body []byte) {
	answer := s.answer()
	if end := bytes.Index(answer, []byte("\r\n\r\n")); end >= 0 && bytes.HasPrefix(answer, []byte("HTTP/")) {
		return answer[:end+4], answer[end+4:]
	}
	return nil, answer
}

// half: with HTTP, half of the body below a whole head.
func (s *spoiler) half() {
	head, body := s.parts()
	s.client.Write(append(head, body[:len(body)/2]...))
}

// wrongLength is the server's answer, with a Content-Length that is off by that much.
func (s *spoiler) wrongLength(by int) {
	head, body := s.parts()
	kind := "text/plain"
	if bytes.Contains(head, []byte("json")) {
		kind = "application/json"
	}
	length := len(body) + by
	if length < 1 {
		length = 1
	}
	s.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", kind, length, body))
}

func (s *spoiler) repeat(first, again string) {
	text := strings.Repeat(again, 256)
	for err := s.say(first); err == nil; {
		err = s.say(text)
	}
}

// pour sends lines of a metrics page, below a head or without one.
func (s *spoiler) pour(headers string, bytes int) {
	if headers != "" && s.say("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"+headers+"\r\n") != nil {
		return
	}
	for i, sent := 0, 0; bytes < 0 || sent < bytes; i++ {
		var text strings.Builder
		for text.Len() < 32<<10 {
			fmt.Fprintf(&text, "endless_total{i=\"%d\"} %d\n", i, text.Len())
		}
		if s.say(text.String()) != nil {
			return
		}
		sent += text.Len()
	}
}

func (s *spoiler) bomb() {
	body := packedBomb()
	s.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n", len(body)))
	s.client.Write(body)
}

var packedBomb = sync.OnceValue(func() []byte {
	var out bytes.Buffer
	packer, _ := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	some := make([]byte, 1<<20)
	for i := 0; i < bombBytes/len(some); i++ {
		packer.Write(some)
	}
	packer.Close()
	return out.Bytes()
})

// chance: the same bytes of chance every time.
func chance(count int) []byte {
	out := make([]byte, count)
	rand.New(rand.NewSource(1)).Read(out)
	return out
}

// security is the proxy's TLS: one certificate that is right, and the ways in which one is not.
type security struct {
	proxy  *proxy
	config map[string]*tls.Config
}

func newSecurity(dir string, p *proxy) (*security, error) {
	known, err := newAuthority()
	if err != nil {
		return nil, err
	}
	stranger, err := newAuthority()
	if err != nil {
		return nil, err
	}
	s := &security{p, map[string]*tls.Config{}}
	yesterday, tomorrow := time.Now().Add(-24*time.Hour), time.Now().Add(24*time.Hour)
	for fault, sign := range map[string]func(...string) (*tls.Config, error){
		"pass":        func(own ...string) (*tls.Config, error) { return known.sign(tomorrow, own...) },
		"tls-host":    func(...string) (*tls.Config, error) { return known.sign(tomorrow, "elsewhere.example") },
		"tls-expired": func(own ...string) (*tls.Config, error) { return known.sign(yesterday, own...) },
		"tls-unknown": func(own ...string) (*tls.Config, error) { return stranger.sign(tomorrow, own...) },
		"tls-old":     func(own ...string) (*tls.Config, error) { return known.sign(tomorrow, own...) },
	} {
		if s.config[fault], err = sign("localhost", fault+".localhost"); err != nil {
			return nil, err
		}
	}
	s.config["tls-old"].MinVersion, s.config["tls-old"].MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	return s, known.write(dir)
}

// accept: the conversation after a handshake, or nil.
func (s *security) accept(raw *net.TCPConn) net.Conn {
	raw.SetDeadline(time.Now().Add(mostTime))
	client := tls.Server(raw, &tls.Config{
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) { return s.greet(raw, hello) },
	})
	if client.Handshake() != nil {
		return nil
	}
	return client
}

func (s *security) greet(raw *net.TCPConn, hello *tls.ClientHelloInfo) (*tls.Config, error) {
	fault, _, _ := strings.Cut(hello.ServerName, ".localhost")
	if !strings.HasPrefix(fault, "tls-") {
		fault = s.proxy.choose(nil)
	}
	if fault != "pass" {
		s.proxy.record(fault, []byte("hello "+hello.ServerName))
	}
	switch fault {
	case "tls-mute":
		io.Copy(io.Discard, raw)
	case "tls-cut":
		raw.Close()
	case "tls-plain":
		io.WriteString(raw, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nthis is plain text\n")
		raw.Close()
	}
	if config := s.config[fault]; config != nil {
		return config, nil
	}
	return nil, fmt.Errorf("fault %s", fault)
}
