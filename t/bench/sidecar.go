// What auth_request is pointed at where no module exists: asks WeChat for
// the code in X-WX-Code and answers with the openid in a header.
//
//	sidecar LISTEN WECHAT CA-FILE SERVER-NAME
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"log"
	"net/http"
	"net/url"
	"os"
	"time"
)

type session struct {
	Openid  string `json:"openid"`
	Errcode int    `json:"errcode"`
}

func main() {
	listen, wechat, ca, name := os.Args[1], os.Args[2], os.Args[3], os.Args[4]

	pem, err := os.ReadFile(ca)
	if err != nil {
		log.Fatal(err)
	}

	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)

	client := &http.Client{
		Timeout: 10 * time.Second,
		Transport: &http.Transport{
			MaxIdleConns:        1024,
			MaxIdleConnsPerHost: 1024,
			TLSClientConfig:     &tls.Config{RootCAs: roots, ServerName: name},
		},
	}

	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		query := url.Values{
			"appid":      {"wxtest"},
			"secret":     {"TOPSECRET0123456789abcdef01234567"},
			"js_code":    {r.Header.Get("X-WX-Code")},
			"grant_type": {"authorization_code"},
		}

		res, err := client.Get(wechat + "/sns/jscode2session?" + query.Encode())
		if err != nil {
			http.Error(w, "", http.StatusBadGateway)
			return
		}
		defer res.Body.Close()

		var s session
		err = json.NewDecoder(res.Body).Decode(&s)
		if err != nil || s.Errcode != 0 || s.Openid == "" {
			http.Error(w, "", http.StatusUnauthorized)
			return
		}

		w.Header().Set("X-WX-OPENID", s.Openid)
		w.WriteHeader(http.StatusNoContent)
	})

	log.Fatal(http.ListenAndServe(listen, nil))
}
