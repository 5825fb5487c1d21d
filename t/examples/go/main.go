// Who am I, in Go.  nginx has checked the user: this only reads a header.
//
//	go run main.go          PORT (8080) on loopback, for nginx alone
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"
)

func whoami(w http.ResponseWriter, r *http.Request) {
	openid := r.Header.Get("X-WX-OPENID")

	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]string{"openid": openid})
}

func main() {
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}

	http.HandleFunc("/whoami", whoami)
	log.Fatal(http.ListenAndServe("127.0.0.1:"+port, nil))
}
