package journal

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestRedact(t *testing.T) {
	secret := strings.Repeat("s3cr3t", 4)
	for _, c := range []struct{ name, in, want string }{
		{"nothing to hide", `{ "a" : [1, 2.50, "x<y\u0041"], "b":{}, "c":[ ] }`, `{ "a" : [1, 2.50, "x<y\u0041"], "b":{}, "c":[ ] }`},
		{"order and duplicates stay", `{"b":1,"a":2,"b":3}`, `{"b":1,"a":2,"b":3}`},
		{"key", `{"password":"hunter2"}`, `{"password":"•••• redacted, 7 chars"}`},
		{"any depth", `[{"x":{"API-Key":"abc"}}]`, `[{"x":{"API-Key":"•••• redacted, 3 chars"}}]`},
		{"part of a key, any case", `{"myApiKeyValue":"abc","X_AUTHORIZATION":"d"}`, `{"myApiKeyValue":"•••• redacted, 3 chars","X_AUTHORIZATION":"•••• redacted, 1 chars"}`},
		{"escaped key", `{"pass\u0077ord":"abc"}`, `{"pass\u0077ord":"•••• redacted, 3 chars"}`},
		{"characters are counted, not bytes", `{"token":"éé\n"}`, `{"token":"•••• redacted, 3 chars"}`},
		{"number", `{"token":-12.5}`, `{"token":"•••• redacted, 5 chars"}`},
		{"no value is no secret", `{"token":null,"private":true}`, `{"token":null,"private":true}`},
		{"a whole object", `{"credentials":{"a":["b"]},"x":1}`, `{"credentials":"•••• redacted","x":1}`},
		{"github", `"push with ghp_` + secret + ` now"`, `"push with •••• redacted, 28 chars now"`},
		{"github fine-grained", `["github_pat_` + secret + `"]`, `["•••• redacted, 35 chars"]`},
		{"openai", `{"q":"sk-` + secret + `"}`, `{"q":"•••• redacted, 27 chars"}`},
		{"a word that is none", `{"q":"a task-management-system-for-two"}`, `{"q":"a task-management-system-for-two"}`},
		{"aws", `{"q":"AKIAABCDEFGHIJKLMNOP"}`, `{"q":"•••• redacted, 20 chars"}`},
		{"slack", `{"q":"xoxb-12345678-abc"}`, `{"q":"•••• redacted, 17 chars"}`},
		{"jwt", `{"q":"eyJhbGciOi.eyJzdWIiOi.c2ln"}`, `{"q":"•••• redacted, 26 chars"}`},
		{"pem", `{"q":"-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\n"}`, `{"q":"•••• redacted, 65 chars\n"}`},
		{"half a pem", `{"q":"-----BEGIN PRIVATE KEY-----\nMII"}`, `{"q":"•••• redacted, 31 chars"}`},
		{"bearer in a text", `{"q":"-H 'Authorization: Bearer abc'"}`, `{"q":"-H 'Authorization: •••• redacted, 10 chars'"}`},
		{"url", `{"q":"postgres://bob:pw@db/x"}`, `{"q":"postgres://bob:•••• redacted, 2 chars@db/x"}`},
		{"query", `{"q":"http://h/?api_key=abc&x=1"}`, `{"q":"http://h/?api_key=•••• redacted, 3 chars&x=1"}`},
		{"a user alone", `{"url":"https://t0k3n@h/x?key=abc&KEY=d"}`, `{"url":"https://•••• redacted, 5 chars@h/x?key=•••• redacted, 3 chars&KEY=•••• redacted, 1 chars"}`},
		{"an address that is masked", `{"url":"https://xxxxx@h/x?key=xxxxx and http://bob:xxxxx@h"}`, `{"url":"https://xxxxx@h/x?key=xxxxx and http://bob:xxxxx@h"}`},
		{"addresses with nothing to hide", `{"q":"https://h/@a/b?monkey=x mail@h.com //a@b ://@h"}`, `{"q":"https://h/@a/b?monkey=x mail@h.com //a@b ://@h"}`},
		{"keys that open something", `{"access_key":"abc","ENCRYPTION_KEY":"d","signing-key":"e","tls.key":"f","accessKey":"g","my_deploy_key":7}`,
			`{"access_key":"•••• redacted, 3 chars","ENCRYPTION_KEY":"•••• redacted, 1 chars","signing-key":"•••• redacted, 1 chars","tls.key":"•••• redacted, 1 chars","accessKey":"•••• redacted, 1 chars","my_deploy_key":"•••• redacted, 1 chars"}`},
		{"keys that find something", `{"primary_key":"id","orders.foreign_key":"x","sort-key":"a","Partition_Key":"b","public_key":"c","key":"d","monkey":"e","_key_":"f","issue_key":"A-1"}`,
			`{"primary_key":"id","orders.foreign_key":"x","sort-key":"a","Partition_Key":"b","public_key":"c","key":"d","monkey":"e","_key_":"f","issue_key":"A-1"}`},
		{"json in a string", `{"body":"{\"password\":\"x\"}"}`, `{"body":"{\"password\":\"•••• redacted, 1 chars\"}"}`},
		{"key that is a secret", `{"ghp_` + secret + `":1}`, `{"•••• redacted, 28 chars":1}`},
		{"a bare string", `"x"`, `"x"`},
		{"a bare number", `7`, `7`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := string(redaction{}.of([]byte(c.in))); got != c.want {
				t.Errorf("%s\n got %s\nwant %s", c.in, got, c.want)
			}
		})
	}
}

func TestRedactLooksThroughNestedStrings(t *testing.T) {
	in := `{"password":"hunter2"}`
	for range 6 {
		quoted, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		in = `{"body":` + string(quoted) + `}`
		if got := string(redaction{}.of([]byte(in))); strings.Contains(got, "hunter2") || !json.Valid([]byte(got)) {
			t.Errorf("%s became %s", in, got)
		}
	}
}

// FuzzRedact: whatever comes, valid JSON goes out, no secret does, and what is
// not a secret is not touched.
func FuzzRedact(f *testing.F) {
	for _, s := range []string{`{"a":[1,"x",{"token":{"b":"c"}}],"p\u0061ss":2}`, ` [ ] `, `"\ud800"`, "\"\xff\"", `-0e1`, `{"":""}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !json.Valid([]byte(s)) {
			return
		}
		const secret = "ghp_0123456789abcdefghij"
		for _, wrapped := range []string{
			`{"x":` + s + `,"password":"hunter2-hunter2"}`,
			`[` + s + `,"` + secret + `"]`,
			`{"secret":` + s + `}`,
			s,
		} {
			got := string(redaction{}.of([]byte(wrapped)))
			if !json.Valid([]byte(got)) {
				t.Fatalf("%s became %s", wrapped, got)
			}
			if strings.Contains(got, `"hunter2-hunter2"`) || strings.Contains(got, `"`+secret+`"`) {
				t.Fatalf("%s leaves %s", wrapped, got)
			}
		}
		innocent := !strings.Contains(s, "\\") && !secretKey.MatchString(s) && !strings.Contains(strings.ToLower(s), "key") && RedactText(s) == s
		if got := string(redaction{}.of([]byte(s))); innocent && got != s {
			t.Fatalf("%s became %s", s, got)
		}
	})
}
