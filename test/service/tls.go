// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// An authority that lives as long as the process: whoever trusts its ca.pem trusts what it signs.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	der  []byte
}

func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	return &authority{key, cert, der}, nil
}

// write puts the authority's certificate to dir/ca.pem.
func (a *authority) write(dir string) error {
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.der})
	return os.WriteFile(filepath.Join(dir, "ca.pem"), text, 0o644)
}

// sign: a server's certificate for the names, that ends at end; "localhost" is 127.0.0.1, too.
func (a *authority) sign(end time.Time, names ...string) (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: names[0]},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: end, DNSNames: names,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if names[0] == "localhost" {
		leaf.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return nil, err
	}
	pair := tls.Certificate{Certificate: [][]byte{der, a.der}, PrivateKey: key}
	return &tls.Config{Certificates: []tls.Certificate{pair}}, nil
}

// ownAuthority: dir/ca.pem, and a server that it vouches for. "expired" was one for localhost.
func ownAuthority(dir, name string) (*tls.Config, error) {
	a, err := newAuthority()
	if err != nil {
		return nil, err
	}
	if err := a.write(dir); err != nil {
		return nil, err
	}
	if name == "expired" {
		return a.sign(time.Now().Add(-time.Hour), "localhost")
	}
	return a.sign(time.Now().Add(24*time.Hour), name)
}
