package main

import (
	"encoding/json"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
)

// reading is what a served route answers: what the program read of the request.
type reading struct {
	Route         string  `json:"route"`
	ID            *string `json:"id"`
	Path          string  `json:"path"`
	Method        string  `json:"method"`
	Host          string  `json:"host"`
	Subject       string  `json:"subject,omitempty"`
	Version       string  `json:"version,omitempty"`
	Authorization string  `json:"authorization,omitempty"`
	Token         string  `json:"token,omitempty"`
	Session       string  `json:"session,omitempty"`
}

func answer(w http.ResponseWriter, r *http.Request, route string, id *string) {
	read := reading{
		Route:         route,
		ID:            id,
		Path:          r.URL.Path,
		Method:        r.Method,
		Host:          r.Host,
		Subject:       r.Header.Get("X-Auth-Subject"),
		Version:       r.Header.Get("X-Api-Version"),
		Authorization: r.Header.Get("Authorization"),
		Token:         strings.Join(r.URL.Query()["access_token"], ","),
	}
	if cookie, err := r.Cookie("session"); err == nil {
		read.Session = cookie.Value
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(read)
}

// answerBySegments routes by hand, for programs without a router.
func answerBySegments(w http.ResponseWriter, r *http.Request, segments []string) {
	switch {
	case segments[0] == "admin":
		answer(w, r, "admin", nil)
	case segments[0] == "public":
		answer(w, r, "public", nil)
	case segments[0] == "users" && len(segments) == 3 && segments[2] == "orders":
		answer(w, r, "orders", &segments[1])
	case segments[0] == "users" && len(segments) == 2:
		answer(w, r, "user", &segments[1])
	default:
		http.NotFound(w, r)
	}
}

// serve listens on SOCKET, behind another server, or on PORT.
func serve(handler http.Handler) {
	network, address := "tcp", "127.0.0.1:"+os.Getenv("PORT")
	if socket := os.Getenv("SOCKET"); socket != "" {
		network, address = "unix", socket
	}
	listener, err := net.Listen(network, address)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.Serve(listener, handler))
}
