package journal

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// tool is a schema with secrets in all the places where one can stand.
const tool = `{"name":"t","inputSchema":{"type":"object","properties":{
	"pin":{"type":"integer","format":"password"},
	"answer":{"$ref":"#/$defs/hidden"},
	"maybe":{"anyOf":[{"type":"null"},{"type":"string","format":"Password"}]},
	"list":{"type":"array","items":{"type":"string","writeOnly":true}},
	"map":{"type":"object","additionalProperties":{"format":"password"}},
	"deep":{"type":"object","properties":{"inner":{"writeOnly":true}}},
	"plain":{"type":"string","description":"no password"},
	"self":{"$ref":"#"}},
	"$defs":{"hidden":{"type":"string","writeOnly":true}}},
	"outputSchema":{"properties":{"code":{"format":"password"}}}}`

func TestSecretsOfTheSchema(t *testing.T) {
	j := New(Options{})
	m := j.Meter("b", "t")
	m.Describe(json.RawMessage(tool))
	const arguments = `{"pin":1234,"answer":"a1","maybe":"m1","list":["l1"],"map":{"x":"x1"},"deep":{"inner":"i1"},"plain":"p1","code":7}`
	const want = `{"pin":"•••• redacted, 4 chars","answer":"•••• redacted, 2 chars","maybe":"•••• redacted, 2 chars","list":"•••• redacted","map":"•••• redacted","deep":{"inner":"•••• redacted, 2 chars"},"plain":"p1","code":"•••• redacted, 1 chars"}`
	r := j.Begin(&Request{Method: "tools/call", Meter: m, Message: []byte(`{"params":{"name":"pin","arguments":` + arguments + `}}`)})
	answer(r, `{"result":{"code":7,"content":[{"type":"text","text":"{\"answer\":\"a1\"}"}]}}`)
	d, _ := j.CallByID(1)
	if string(d.Arguments) != want {
		t.Errorf("got  %s\nwant %s", d.Arguments, want)
	}
	if !strings.Contains(d.Raw.Request, `"name":"pin"`) {
		t.Errorf("outside of the arguments the schema has no say: %s", d.Raw.Request)
	}
	if string(d.Result) != `{"code":"•••• redacted, 1 chars","content":[{"type":"text","text":"{\"answer\":\"•••• redacted, 2 chars\"}"}]}` {
		t.Errorf("result: %s", d.Result)
	}
	m.Start([]byte(arguments))
	if log := j.Entries(1)[0]; string(log.Data) != want {
		t.Errorf("the log: %s", log.Data)
	}
	m.Describe(json.RawMessage(`{"inputSchema":{"additionalProperties":{"writeOnly":true}}}`))
	if d, _ := j.CallByID(1); strings.Contains(string(d.Arguments), "1") && !strings.Contains(string(d.Arguments), "•••• redacted") || strings.Contains(string(d.Arguments), "p1") {
		t.Errorf("when all are secret: %s", d.Arguments)
	}
}

// Schemas come from strangers too.
func TestOddSchemas(t *testing.T) {
	knot := `{"inputSchema":{"properties":{"a":{"$ref":"#/$defs/k0"}},"$defs":{`
	for i := range 30 {
		knot += fmt.Sprintf(`"k%d":{"anyOf":[{"$ref":"#/$defs/k%d"},{"$ref":"#/$defs/k%d"}]},`, i, i+1, i+1)
	}
	knot += `"k30":{"description":"password"}}}}`
	for _, schema := range []string{`7`, `{"inputSchema":"password"}`, `{"inputSchema":{"properties":["password"]}}`, `{"inputSchema":{"$ref":"#/x/password"}}`,
		`{"inputSchema":{"properties":{"a":{"$ref":"#/properties/a","title":"password"}}}}`, knot,
		`{"inputSchema":` + strings.Repeat(`{"items":`, 5000) + `{"format":"password"}` + strings.Repeat("}", 5000) + `}`} {
		began := time.Now()
		secretsOf(json.RawMessage(schema))
		if d := time.Since(began); d > 5*time.Second {
			t.Errorf("%.60s took %v", schema, d)
		}
	}
}

// What is too large or too deep to be read may say that anything is a secret.
func TestSecretsOfSchemasThatAreNotRead(t *testing.T) {
	for name, schema := range map[string]string{
		"large": `{"inputSchema":{"properties":{"pin":{"format":"password"}},"description":"` + strings.Repeat("x", maxSchema) + `"}}`,
		"deep": `{"inputSchema":` + strings.Repeat(`{"properties":{"a":`, maxSchemaDepth) + `{"properties":{"pin":{"writeOnly":true}}}` +
			strings.Repeat("}}", maxSchemaDepth) + `}`,
		"shouted": `{"inputSchema":{"properties":{"pin":{"format":"PASSWORD"}}}}`,
	} {
		m := New(Options{}).Meter("b", "t")
		m.Describe(json.RawMessage(schema))
		if !m.secrets().has("pin") {
			t.Errorf("%s: it is shown", name)
		}
	}
}

func TestBinaryDataIsShownAsTypeSizeAndHash(t *testing.T) {
	data := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("picture", 20)))
	shown := func(text string) string { return string(redaction{abridge: true}.of([]byte(text))) }
	sample := shown(`{"blob":"` + data + `"}`)
	var parsed struct {
		Blob struct {
			Bytes  int
			SHA256 string
		}
	}
	if err := json.Unmarshal([]byte(sample), &parsed); err != nil || parsed.Blob.Bytes != 140 || len(parsed.Blob.SHA256) != 64 {
		t.Fatalf("%s: %v", sample, err)
	}
	part := fmt.Sprintf(`"bytes":140,"sha256":"%s"`, parsed.Blob.SHA256)
	for in, want := range map[string]string{
		`{"type":"image","data":"` + data + `","mimeType":"image/png"}`: `{"type":"image","data":{"type":"image/png",` + part + `},"mimeType":"image/png"}`,
		`{"mimeType":"audio/wav", "data" : "` + data + `" ,"x":1}`:      `{"mimeType":"audio/wav", "data" :{"type":"audio/wav",` + part + `} ,"x":1}`,
		`[{"blob":"` + data + `"},{"mimeType":"a/b"}]`:                  `[{"blob":{` + part + `}},{"mimeType":"a/b"}]`,
		`{"data":"short"}`: `{"data":"short"}`,
		`{"data":"` + strings.Repeat("wörter ", 20) + `"}`: `{"data":"` + strings.Repeat("wörter ", 20) + `"}`,
		`{"data":{"a":1},"blob":[1]}`:                      `{"data":{"a":1},"blob":[1]}`,
		`{"other":"` + data + `"}`:                         `{"other":"` + data + `"}`,
	} {
		if got := shown(in); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestDeepAndHugeTexts(t *testing.T) {
	j := New(Options{})
	const secret = "hunter2hunter2"
	for name, arguments := range map[string]string{
		"deep":           strings.Repeat(`{"a":`, 6000) + `{"password":"` + secret + `"}` + strings.Repeat("}", 6000),
		"deeper":         strings.Repeat(`[`, 30_000) + strings.Repeat("]", 30_000),
		"many keys":      `{` + strings.Repeat(`"token":"`+secret+`",`, 2000) + `"a":1}`,
		"much binary":    `{` + strings.Repeat(`"data":"`+strings.Repeat("QUJD", 20)+`",`, 600) + `"mimeType":"a/b"}`,
		"begins of keys": `{"a":"` + strings.Repeat("-----BEGIN KEY-----", 3000) + `"}`,
		"no end of =":    `{"a":"` + strings.Repeat("token=", 10_000) + `"}`,
		"nested strings": `{"a":` + nest(`{"password":"`+secret+`"}`, 8) + `}`,
	} {
		began := time.Now()
		r := ask(j, "tools/call", "t", `{"params":{"arguments":`+arguments+`}}`)
		message := `{"result":{"content":` + arguments + `}}`
		r.End(&Fate{}, []byte(message), len(message))
		d, there := j.CallByID(r.ID())
		text, err := json.Marshal(d)
		if !there || err != nil || strings.Contains(string(text), secret) {
			t.Errorf("%s: %v %v, leaks %v", name, there, err, strings.Contains(string(text), secret))
		}
		if d.Raw == nil && d.Truncated == nil {
			t.Errorf("%s: nothing says why it is not shown", name)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}

func nest(text string, times int) string {
	for range times {
		quoted, _ := json.Marshal(text)
		text = `{"body":` + string(quoted) + `}`
	}
	quoted, _ := json.Marshal(text)
	return string(quoted)
}

// planted are secrets of the shapes that are known.
var planted = []string{
	"ghp_0123456789abcdefghijABCDEFGHIJ123456", "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz", "sk-ant-api03-abcdefghijklmnopqrstuvwxyz",
	"AKIAIOSFODNN7EXAMPLE", "xoxb-123456789012-abcdefghijkl", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
	"glpat-abcdefghij0123456789", "AIzaSyA0123456789abcdefghijklmnopqrstuv",
	"-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\n-----END RSA PRIVATE KEY-----",
}

// FuzzNoSecretSurvives: wherever a secret stands in what a client or a backend says, it
// is in nothing that leaves the journal.
func FuzzNoSecretSurvives(f *testing.F) {
	for i, s := range []string{`"x"`, `{"a":[1,{"b":"c"}]}`, `"••••"`, `"•••• redacted, 3 chars"`, `"\ud800 token="`, `{"data":"QUJD"}`, `"bearer "`, `"a://b:"`, `"-----BEGIN A-----"`} {
		f.Add(s, uint8(i), "before ", " after")
	}
	f.Fuzz(func(t *testing.T, other string, n uint8, before, after string) {
		if !json.Valid([]byte(other)) {
			return
		}
		secret := planted[int(n)%len(planted)]
		inText, _ := json.Marshal(before + " " + secret + " " + after)
		alone, _ := json.Marshal(secret)
		word, _ := json.Marshal("hunter2-" + strings.Repeat("q", 8))
		j := New(Options{Payload: 1})
		m := j.Meter("b", "t")
		m.Describe(json.RawMessage(tool))
		for _, text := range []string{
			`{"x":` + other + `,"y":` + string(inText) + `}`,
			`{"deep":{"inner":` + string(word) + `},"a":[` + other + `,{"Api_Key":` + string(word) + `,"list":[` + string(word) + `]}]}`,
			`{"x":[` + other + `,{` + string(alone) + `:1}],"answer":` + string(alone) + `}`,
			`{"x":` + nest(`{"token":`+string(word)+`,"z":`+string(inText)+`}`, int(n)%6) + `,"o":` + other + `}`,
			`{"headers":{"Authorization":` + string(word) + `,"X-Api-Key":` + string(word) + `,"Cookie":` + string(word) + `},"z":` + other + `}`,
		} {
			m.Start([]byte(text)).End(Outcome{Err: before + " " + secret})
			request := `{"method":"tools/call","params":{"name":"t","arguments":` + text + `,"_meta":{"note":` + string(inText) + `,"secret":` + string(word) + `}}}`
			response := `{"result":{"content":[{"type":"text","text":` + nest(text, 0) + `}],"structuredContent":` + text + `}}`
			r := j.Begin(&Request{Method: "tools/call", Name: before + " " + secret, Original: secret, Meter: m, Message: []byte(request)})
			r.End(&Fate{Kind: ErrTool, Err: before + " " + secret + " " + after}, []byte(response), len(response))
			d, _ := j.CallByID(r.ID())
			all, _, _ := j.CallsBefore(1<<60, 1, true)
			var b strings.Builder
			enc := json.NewEncoder(&b)
			enc.SetEscapeHTML(false)
			if err := enc.Encode([]any{d, all, j.Entries(2)}); err != nil {
				t.Fatalf("%v: %s", err, text)
			}
			core := secret
			if strings.HasPrefix(secret, "-----") {
				core = "MIIEpAIBAAKCAQEA7"
			}
			if shown := b.String(); strings.Contains(shown, core) || strings.Contains(shown, "hunter2-qqqqqqqq") {
				if strings.Contains(other+before+after, core) || strings.Contains(other+before+after, "hunter2-") {
					return
				}
				t.Fatalf("%s\nleaks in\n%s", text, shown)
			}
		}
	})
}
