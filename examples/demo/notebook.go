package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

const (
	maxNotes   = 1000
	maxMatches = 20
)

type note struct {
	ID      int    `json:"id"`
	Text    string `json:"text"`
	Created string `json:"created"`
}

// notebook keeps the latest maxNotes notes, for all clients together.
type notebook struct {
	mu    sync.Mutex // guards the rest
	last  int        // id of the latest note
	notes []note     // oldest first
}

func newNotebook() *notebook { return &notebook{} }

func (b *notebook) add(text string) note {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last++
	n := note{ID: b.last, Text: text, Created: time.Now().UTC().Format(time.RFC3339)}
	if len(b.notes) == maxNotes {
		b.notes = append(b.notes[:0], b.notes[1:]...)
	}
	b.notes = append(b.notes, n)
	return n
}

// search returns the notes that contain words, newest first.
func (b *notebook) search(words string) []note {
	words = strings.ToLower(words)
	b.mu.Lock()
	defer b.mu.Unlock()
	found := []note{}
	for i := len(b.notes) - 1; i >= 0 && len(found) < maxMatches; i-- {
		if strings.Contains(strings.ToLower(b.notes[i].Text), words) {
			found = append(found, b.notes[i])
		}
	}
	return found
}

func (b *notebook) tools() []server.ServerTool {
	type text struct {
		Text string `json:"text"`
	}
	type query struct {
		Query string `json:"query"`
	}
	type matches struct {
		Notes []note `json:"notes"`
	}
	return []server.ServerTool{
		tool(mcp.NewTool("add_note",
			mcp.WithTitleAnnotation("Add a note"),
			mcp.WithDescription("Keep a note. Notes are forgotten when the server stops."),
			mcp.WithString("text", mcp.Required(), mcp.MinLength(1), mcp.MaxLength(4000), mcp.Description("What to remember")),
			mcp.WithDestructiveHintAnnotation(false), mcp.WithOpenWorldHintAnnotation(false),
			mcp.WithOutputSchema[note](),
		), func(_ context.Context, in text) (note, string, error) {
			n := b.add(in.Text)
			return n, fmt.Sprintf("Noted as number %d.", n.ID), nil
		}),
		tool(mcp.NewTool("search_notes",
			mcp.WithTitleAnnotation("Search the notes"),
			mcp.WithDescription(fmt.Sprintf("Find notes by words they contain, newest first, at most %d.", maxMatches)),
			mcp.WithString("query", mcp.MaxLength(200), mcp.Description("Words to look for; all notes when left out")),
			mcp.WithOutputSchema[matches](), readOnly(),
		), func(_ context.Context, in query) (matches, string, error) {
			found := b.search(in.Query)
			lines := []string{fmt.Sprintf("%d found.", len(found))}
			for _, n := range found {
				lines = append(lines, fmt.Sprintf("%d: %s", n.ID, n.Text))
			}
			return matches{found}, strings.Join(lines, "\n"), nil
		}),
	}
}
