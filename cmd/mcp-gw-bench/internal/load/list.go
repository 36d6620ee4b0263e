package load

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"mcp-gw/cmd/mcp-gw-bench/internal/rawjson"
)

// list fetches the whole catalogue, all its pages, and counts the tools.
func (s *session) list(ctx context.Context) (time.Duration, error) {
	var total time.Duration
	tools, cursor, found := 0, "", s.cfg.Tool == ""
	for page := 0; ; page++ {
		s.id++
		req := s.req
		if page == 0 {
			strconv.AppendInt(s.req[s.ids[0]:s.ids[0]], s.id, 10)
		} else {
			req = s.request("tools/list", "", s.envelope("tools/list", `{"cursor":`+cursor+`}`))
		}
		start := time.Now()
		status, err := s.conn.send(ctx, req)
		total += time.Since(start)
		if err != nil {
			return total, err
		}
		// A catalogue is megabytes: look for what matters rather than parse it.
		body := s.conn.body
		if status != http.StatusOK || !bytes.Contains(body, []byte(strconv.FormatInt(s.id, 10))) {
			_, err := s.result(status)
			if err == nil {
				err = &answerError{"another request's answer", ""}
			}
			return total, err
		}
		n := bytes.Count(body, []byte(`"inputSchema"`))
		if n == 0 {
			_, err := s.result(status)
			if err == nil {
				err = &answerError{"no tools", fmt.Sprintf("%.200s", body)}
			}
			return total, err
		}
		tools += n
		found = found || bytes.Contains(body, []byte(`"`+s.cfg.Tool+`"`))
		if !bytes.Contains(body, []byte(`"nextCursor"`)) {
			break
		}
		result, err := s.result(status)
		if err != nil {
			return total, err
		}
		next := string(rawjson.Get(result, "nextCursor"))
		if next == "" || next == `""` || next == "null" {
			break
		}
		if next == cursor || page > 10_000 {
			return total, &answerError{"cursor does not move", next}
		}
		cursor = next
	}
	if s.cfg.WantTools > 0 && tools != s.cfg.WantTools {
		return total, &answerError{"wrong number of tools", fmt.Sprintf("%d, want %d", tools, s.cfg.WantTools)}
	}
	if !found {
		return total, &answerError{"tool missing from the list", s.cfg.Tool}
	}
	return total, nil
}
