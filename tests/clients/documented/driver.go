// Plays scenarios with the code for net/http: see documented.rs.
package main

import (
	"documented/client"
	"encoding/json"
	"net/http"
	"os"
)

type scenario struct {
	Name, URL, Method, Body, Token, Refreshed, Scoped string
	Headers                                           map[string]string
}

type outcome struct {
	Name   string   `json:"name"`
	Status int      `json:"status"`
	Asked  []string `json:"asked"`
}

func main() {
	var scenarios []scenario
	if err := json.Unmarshal([]byte(os.Getenv("SCENARIOS")), &scenarios); err != nil {
		panic(err)
	}
	for _, own := range scenarios {
		asked := []string{}
		token := func(refresh bool, scope string) (string, error) {
			switch {
			case refresh:
				asked = append(asked, "refresh")
				return own.Refreshed, nil
			case scope != "":
				asked = append(asked, "scope "+scope)
				return own.Scoped, nil
			}
			asked = append(asked, "token")
			return own.Token, nil
		}
		header := http.Header{}
		for name, value := range own.Headers {
			header.Set(name, value)
		}
		response, err := client.Send(own.Method, own.URL, header, []byte(own.Body), token)
		if err != nil {
			panic(err)
		}
		json.NewEncoder(os.Stdout).Encode(outcome{own.Name, response.StatusCode, asked})
	}
}
