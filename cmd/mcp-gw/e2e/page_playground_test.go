package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// Every kind of content is shown as what it is, and nothing is fetched that nobody
// asked for.
func TestPagePlaygroundShowsEveryKind(t *testing.T) {
	b := sharedBrowser(t)
	g := startGateway(t)
	var fetched atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { fetched.Add(1) }))
	t.Cleanup(elsewhere.Close)
	s := newStub(t, false, false).toolObject("all", `{"name":"all","annotations":{"readOnlyHint":true},"inputSchema":{"type":"object"},"outputSchema":{"type":"object","required":["rows"],"properties":{"rows":{"type":"array","items":{"type":"object","properties":{"city":{"type":"string"},"people":{"type":"integer"}}}}}}}`,
		fixed(`"result":{"content":[
			{"type":"text","text":"plain words"},
			{"type":"text","text":"{\"deep\":{\"value\":12}}"},
			{"type":"image","mimeType":"image/png","data":"`+picture(t)+`"},
			{"type":"audio","mimeType":"audio/wav","data":"`+sound()+`"},
			{"type":"resource_link","uri":"`+elsewhere.URL+`/linked.txt","name":"linked","mimeType":"text/plain","size":2048},
			{"type":"resource","resource":{"uri":"file:///notes/a.md","mimeType":"text/markdown","text":"embedded words"}},
			{"type":"resource","resource":{"uri":"file:///notes/a.bin","mimeType":"application/octet-stream","blob":"AAECAw=="}},
			{"type":"hologram","data":"?"}],
			"structuredContent":{"rows":[{"city":"Zürich","people":443037},{"city":"Bern","people":137000}]}}`))
	s.toolObject("wrong", `{"name":"wrong","annotations":{"readOnlyHint":true},"inputSchema":{"type":"object"},"outputSchema":{"type":"object","required":["rows"]}}`,
		fixed(`"result":{"content":[{"type":"image","mimeType":"image/png","data":"AAAA"},{"type":"image","mimeType":"image/png","data":"%%"}],"structuredContent":{"row":1}}`))
	g.connect(t, "b", s.url, "http")
	tb := b.open(t, g.url, "#/playground/b__all", look{})
	tb.click(t, runButton)
	answer := `section[aria-label="Answer"]`
	text := tb.says(t, answer, `(?s)2 × 1`) // the picture has been drawn
	for _, want := range []string{"plain words", "deep", "image/png", "audio/wav", elsewhere.URL + "/linked.txt", "It was not fetched", "2 KB",
		"file:///notes/a.md", "embedded words", "file:///notes/a.bin", "4 B", `does not know: "hologram"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the answer does not say %q:\n%s", want, text)
		}
	}
	for on, want := range map[string]int{answer + ` >> img[src^="blob:"]`: 1, answer + ` >> audio[src^="blob:"]`: 1, answer + ` >> role=button[name="download"]`: 6} {
		if n := valueOf[int](t, tb.do(t, "count", map[string]any{"on": on})); n != want {
			t.Errorf("%d of %s, want %d", n, on, want)
		}
	}
	if evaluate[bool](t, tb, `document.querySelector("audio").error !== null`) {
		t.Error("the sound cannot be played")
	}
	tb.click(t, `role=tab[name=/Structured/]`)
	tb.says(t, answer, `(?s)keeps to the tool.s output schema.*city.*people.*Zürich.*443037`)
	tb.click(t, `role=tab[name="Raw"]`)
	tb.says(t, answer, `(?s)sent.*tools/call.*received.*hologram`)

	// And what is broken is said to be.
	tb.goTo(t, "#/playground/b__wrong")
	tb.click(t, runButton)
	tb.says(t, answer, `(?s)cannot draw this image.*not base64`)
	tb.click(t, `role=tab[name=/Structured/]`)
	tb.says(t, answer, `(?s)does not keep to the tool.s output schema.*rows`)
	if n := fetched.Load(); n > 0 {
		t.Errorf("what was only linked to was fetched %d times", n)
	}
}

// picture is a PNG, two points wide and one high, as base64.
func picture(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 2, 1))); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// sound is a tenth of a second of silence, as base64 of a WAV file.
func sound() string {
	const rate, samples = 8000, 800
	le := binary.LittleEndian
	b := append([]byte("RIFF"), le.AppendUint32(nil, 36+samples)...)
	b = append(b, "WAVEfmt "...)
	b = le.AppendUint32(b, 16)
	b = le.AppendUint16(b, 1) // PCM
	b = le.AppendUint16(b, 1) // channels
	b = le.AppendUint32(b, rate)
	b = le.AppendUint32(b, rate)
	b = le.AppendUint16(b, 1) // bytes a sample
	b = le.AppendUint16(b, 8) // bits a sample
	b = append(b, "data"...)
	b = le.AppendUint32(b, samples)
	return base64.StdEncoding.EncodeToString(append(b, bytes.Repeat([]byte{128}, samples)...))
}
