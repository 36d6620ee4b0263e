package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"mcp-gw/discovery"
)

// Each parser stores a value, or returns what it would have accepted, worded
// to follow "expected".

func number(dst *int, v string, low, high int) error {
	n, err := strconv.Atoi(v)
	if err != nil || n < low || n > high {
		return fmt.Errorf("a number from %d to %d", low, high)
	}
	*dst = n
	return nil
}

func boolean(dst *bool, v string) error {
	b, err := strconv.ParseBool(v)
	if err != nil {
		return errors.New("true or false")
	}
	*dst = b
	return nil
}

func duration(dst *time.Duration, v string, low, high time.Duration) error {
	d, err := time.ParseDuration(v)
	if err != nil || d < low || d > high {
		return fmt.Errorf("a duration from %s to %s, such as 90s, 5m or 1h30m", short(low), short(high))
	}
	*dst = d
	return nil
}

// short writes a duration without trailing zero units: 30m, not 30m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// units of sizes. Both spellings mean powers of 1024, as they do for the
// docker command's limits.
var units = []struct {
	suffix string
	factor int64
}{
	{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30},
	{"kb", 1 << 10}, {"mb", 1 << 20}, {"gb", 1 << 30},
	{"k", 1 << 10}, {"m", 1 << 20}, {"g", 1 << 30},
	{"b", 1}, {"", 1},
}

func size(dst *int64, v string, low, high int64) error {
	expected := fmt.Errorf("a size from %s to %s, such as 16MiB", shortSize(low), shortSize(high))
	lower := strings.ToLower(v)
	for _, u := range units {
		digits, ok := strings.CutSuffix(lower, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || n < 0 || n > high/u.factor || n*u.factor < low {
			return expected
		}
		*dst = n * u.factor
		return nil
	}
	return expected
}

func shortSize(n int64) string {
	switch {
	case n >= 1<<30 && n%(1<<30) == 0:
		return fmt.Sprintf("%dGiB", n>>30)
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%dMiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%dKiB", n>>10)
	}
	return fmt.Sprintf("%dB", n)
}

func oneOf(v string, words ...string) error {
	for _, w := range words {
		if v == w {
			return nil
		}
	}
	return errors.New(strings.Join(words, " or "))
}

func nonEmpty(dst *string, v, expected string) error {
	if v == "" {
		return errors.New(expected)
	}
	*dst = v
	return nil
}

func level(dst *slog.Level, v string) error {
	if oneOf(v, "debug", "info", "warn", "error") != nil {
		return errors.New("debug, info, warn or error")
	}
	return dst.UnmarshalText([]byte(v))
}

// list splits at commas and drops what is empty.
func list(v string) []string {
	var out []string
	for item := range strings.SplitSeq(v, ",") {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out
}

// globs are patterns of path.Match.
func globs(dst *[]string, v string) error {
	items := list(v)
	for _, g := range items {
		if _, err := path.Match(g, ""); err != nil {
			return fmt.Errorf("patterns such as shop-*; %q is none", g)
		}
	}
	*dst = items
	return nil
}

var labelPrefixForm = regexp.MustCompile(`^[a-z0-9]+(?:[.-][a-z0-9]+)*$`)

func labelPrefix(dst *string, v string) error {
	if len(v) > 64 || !labelPrefixForm.MatchString(v) {
		return errors.New("a prefix such as mcp-gw or com.example.gw, in lower case, without the last dot")
	}
	*dst = v
	return nil
}

func instance(dst *string, v string) error {
	if v != "" && discovery.CheckName(v) != nil {
		return errors.New("a name such as prod: a-z, 0-9 and -, at most 32 characters")
	}
	*dst = v
	return nil
}

var secretForm = regexp.MustCompile(`^[a-z0-9_-][a-z0-9_.-]{0,63}$`)

// grants are name:who|who, separated by commas.
func grants(dst *map[string][]string, v string) error {
	var out map[string][]string
	for _, item := range list(v) {
		name, whom, ok := strings.Cut(item, ":")
		if !ok || !secretForm.MatchString(name) {
			return errors.New("grants such as github_token:github,exa_key:search|shop/exa")
		}
		for who := range strings.SplitSeq(whom, "|") {
			if who = strings.TrimSpace(who); who == "" || strings.ContainsAny(who, "*? ") || strings.Count(who, "/") > 1 {
				return fmt.Errorf("a backend, or a compose project and service such as shop/exa, behind %q", name+":")
			}
			if out == nil {
				out = map[string][]string{}
			}
			out[name] = append(out[name], who)
		}
	}
	*dst = out
	return nil
}

// hosts are names as they stand in a Host header, without port.
func hosts(dst *[]string, v string) error {
	items := list(v)
	for _, h := range items {
		if strings.ContainsAny(h, "/:* ") {
			return fmt.Errorf("names such as gw.example.org, without scheme and port; %q is none", h)
		}
	}
	*dst = items
	return nil
}

// origins are what browsers send in Origin: scheme, host and port, no path.
func origins(dst *[]string, v string) error {
	items := list(v)
	for i, o := range items {
		o = strings.TrimSuffix(o, "/")
		u, err := url.Parse(o)
		if err != nil || u.Scheme == "" || u.Host == "" || u.Scheme+"://"+u.Host != o {
			return fmt.Errorf("origins such as https://app.example.org; %q is none", o)
		}
		items[i] = o
	}
	*dst = items
	return nil
}

var baseSegmentForm = regexp.MustCompile(`^[A-Za-z0-9_~-][A-Za-z0-9._~-]*$`)

// baseURL is scheme, host and the path of a folder, which is none of the gateway's
// own: an address of /mcp, as clients have it, would be half right, and wrong for
// all that lies beside it.
func baseURL(dst **url.URL, v string) error {
	if v == "" {
		return nil
	}
	expected := errors.New("an address such as https://tools.example.com or https://tools.example.com/gw, without /mcp")
	u, err := url.Parse(strings.TrimRight(v, "/"))
	if err != nil || oneOf(u.Scheme, "http", "https") != nil || u.Hostname() == "" || u.Scheme+"://"+u.Host+u.Path != strings.TrimRight(v, "/") {
		return expected
	}
	u.Host = strings.ToLower(u.Host)
	if port := u.Port(); port == map[string]string{"http": "80", "https": "443"}[u.Scheme] && port != "" {
		u.Host = strings.TrimSuffix(u.Host, ":"+port) // as browsers write it
	}
	if u.Path != "" {
		segments := strings.Split(u.Path[1:], "/")
		for _, s := range segments {
			if !baseSegmentForm.MatchString(s) {
				return expected
			}
		}
		own := []string{"mcp", "sse", "messages", "api", "assets", "metrics", "healthz", "readyz", "register"}
		if slices.Contains(own, segments[0]) || segments[len(segments)-1] == "mcp" {
			return expected
		}
	}
	*dst = u
	return nil
}

// address takes host:port, :port or a host alone, IPv6 with or without
// brackets.
func address(dst *string, v string) error {
	const expected = "an address such as 127.0.0.1, 127.0.0.1:3000 or [::1]:3000"
	host, port, err := net.SplitHostPort(v)
	if err != nil {
		host, port = strings.Trim(v, "[]"), ""
	}
	if strings.ContainsAny(host, "/ @") || (strings.Contains(host, ":") && net.ParseIP(host) == nil) {
		return errors.New(expected)
	}
	var n int
	if err == nil && number(&n, port, 1, 65535) != nil {
		return errors.New(expected)
	}
	*dst = v
	return nil
}

// proxyAddress is an address that has its port.
func proxyAddress(dst *string, v string) error {
	if _, _, err := net.SplitHostPort(v); err != nil {
		return errors.New("an address with a port, such as :2375 or 127.0.0.1:2375")
	}
	return address(dst, v)
}

// joinAddress gives the listen address of a checked MCP_GW_LISTEN and PORT.
func joinAddress(listen string, port int) string {
	if _, _, err := net.SplitHostPort(listen); err == nil {
		return listen
	}
	return net.JoinHostPort(strings.Trim(listen, "[]"), strconv.Itoa(port))
}

func engineAddress(dst *string, v string) error {
	if v != "" {
		u, err := url.Parse(v)
		if err == nil && u.Scheme == "ssh" {
			return errors.New("an address that needs no ssh, which the image does not have: a socket proxy, or tcp with TLS")
		}
		if err != nil || (u.Host == "" && u.Path == "") || oneOf(u.Scheme, "unix", "tcp", "npipe") != nil {
			return errors.New("an address such as unix:///var/run/docker.sock or tcp://host:2375")
		}
	}
	*dst = v
	return nil
}

var apiVersionForm = regexp.MustCompile(`^[0-9]{1,2}\.[0-9]{1,3}$`)

func apiVersion(dst *string, v string) error {
	if v != "" && !apiVersionForm.MatchString(v) {
		return errors.New("a version such as 1.45")
	}
	*dst = v
	return nil
}

var networkForm = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$`)

// networks are names with commas between.
func networks(dst *string, v string) error {
	const most = 8
	names := strings.Split(v, ",")
	for i, name := range names {
		name = strings.TrimSpace(name)
		if !networkForm.MatchString(name) || slices.Contains(names[:i], name) || len(names) > most {
			return errors.New("the name of a network, or up to 8 different ones with commas between")
		}
		names[i] = name
	}
	*dst = strings.Join(names, ",")
	return nil
}
