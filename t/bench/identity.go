// What the module does, by a server in Go: behind auth_request it answers
// with the openid in a header; alone it is the application itself, which
// shows the openid.  For speed's comparison only.
//
//	identity LISTEN WECHAT CA-FILE SERVER-NAME APPID SECRET JWT-KEY
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

type server struct {
	wechat, appid, secret string
	key                   []byte
	client                *http.Client

	mu       sync.RWMutex
	now, old map[string]string // openids by code, of one minute each
}

type reply struct {
	Openid  string `json:"openid"`
	Errcode int    `json:"errcode"`
}

type claims struct {
	Sub string `json:"sub"`
	Aud string `json:"aud"`
	Exp int64  `json:"exp"`
}

func (s *server) open(token string) string {
	dot := strings.LastIndexByte(token, '.')
	if dot < 0 {
		return ""
	}

	sign, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	if err != nil {
		return ""
	}

	mac := hmac.New(sha256.New, s.key)
	io.WriteString(mac, token[:dot])
	if !hmac.Equal(mac.Sum(nil), sign) {
		return ""
	}

	_, payload, _ := strings.Cut(token[:dot], ".")
	text, err := base64.RawURLEncoding.DecodeString(payload)

	var c claims
	if err != nil || json.Unmarshal(text, &c) != nil ||
		c.Exp < time.Now().Unix() || c.Aud != s.appid {
		return ""
	}

	return c.Sub
}

func (s *server) known(code string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()

	if openid := s.now[code]; openid != "" {
		return openid
	}

	return s.old[code]
}

func (s *server) keep(code, openid string) {
	s.mu.Lock()
	s.now[code] = openid
	s.mu.Unlock()
}

func (s *server) forget() {
	for range time.Tick(time.Minute) {
		s.mu.Lock()
		s.old, s.now = s.now, map[string]string{}
		s.mu.Unlock()
	}
}

func (s *server) exchange(code string) string {
	query := url.Values{
		"appid":      {s.appid},
		"secret":     {s.secret},
		"js_code":    {code},
		"grant_type": {"authorization_code"},
	}

	res, err := s.client.Get(s.wechat + "/sns/jscode2session?" +
		query.Encode())
	if err != nil {
		return ""
	}
	defer res.Body.Close()

	// to its end, or the connection is not kept
	text, err := io.ReadAll(res.Body)

	var r reply
	if err != nil || json.Unmarshal(text, &r) != nil || r.Errcode != 0 {
		return ""
	}

	return r.Openid
}

func (s *server) identify(r *http.Request) string {
	if token := r.Header.Get("X-WX-Session"); token != "" {
		return s.open(token)
	}

	code := r.Header.Get("X-WX-Code")
	if code == "" {
		return ""
	}

	openid := s.known(code)
	if openid == "" {
		openid = s.exchange(code)
		if openid != "" {
			s.keep(code, openid)
		}
	}

	return openid
}

func main() {
	pem, err := os.ReadFile(os.Args[3])
	if err != nil {
		log.Fatal(err)
	}

	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)

	s := &server{
		wechat: os.Args[2],
		appid:  os.Args[5],
		secret: os.Args[6],
		key:    []byte(os.Args[7]),
		now:    map[string]string{},
		client: &http.Client{
			Timeout: 10 * time.Second,
			Transport: &http.Transport{
				MaxIdleConns:        1024,
				MaxIdleConnsPerHost: 1024,
				TLSClientConfig: &tls.Config{
					RootCAs:    roots,
					ServerName: os.Args[4],
				},
			},
		},
	}

	go s.forget()

	http.HandleFunc("/auth", func(w http.ResponseWriter, r *http.Request) {
		openid := s.identify(r)
		if openid == "" {
			http.Error(w, "", http.StatusUnauthorized)
			return
		}

		w.Header().Set("X-WX-OPENID", openid)
		w.WriteHeader(http.StatusNoContent)
	})

	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		openid := s.identify(r)
		if openid == "" {
			http.Error(w, "", http.StatusUnauthorized)
			return
		}

		io.WriteString(w, openid+"\n")
	})

	log.Fatal(http.ListenAndServe(os.Args[1], nil))
}
