package discovery

import (
	"net/url"
	"strings"
)

// hidden stands in an address for what nobody is to read, as it does in url.URL.Redacted.
const hidden = "xxxxx"

// SecretName reports whether name, of a setting or a parameter, stands for something that
// is secret by custom. It errs on the safe side.
func SecretName(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"authorization", "cookie", "token", "secret", "passw", "credential", "api-key", "apikey", "api_key", "private"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return strings.HasSuffix(name, "-key") || strings.HasSuffix(name, "_key") || strings.HasSuffix(name, ".key")
}

// ShowURL is an address as it may be shown: a password in it, a user that has none and so
// is most often a token, and parameters that are secret by their names are masked. What
// has none of them stays as it is, byte for byte. Of what is no URL, all is masked that
// may have been meant as a user, a password or a parameter.
func ShowURL(address string) string {
	u, err := url.Parse(address)
	if err != nil || strings.Contains(u.Opaque, "@") || strings.Contains(u.Fragment, "@") {
		return shownAnyway(address)
	}
	query, secret := shownQuery(u.RawQuery)
	if u.User == nil && !secret {
		return address
	}
	if u.User != nil {
		if _, has := u.User.Password(); has {
			u.User = url.UserPassword(u.User.Username(), hidden)
		} else {
			u.User = url.User(hidden)
		}
	}
	u.RawQuery = query
	return u.String()
}

// shownAnyway masks what stands before the last @, where an unescaped #, / or ? of a
// password may be, and what is behind a question mark.
func shownAnyway(address string) string {
	if at := strings.LastIndexByte(address, '@'); at >= 0 {
		scheme, _, found := strings.Cut(address[:at], "://")
		if found {
			scheme += "://"
		} else {
			scheme = ""
		}
		address = scheme + hidden + address[at:]
	}
	if before, query, _ := strings.Cut(address, "?"); query != "" {
		address = before + "?" + hidden
	}
	return address
}

// shownQuery masks the values of a query, and reports whether there was anything to mask.
func shownQuery(query string) (shown string, secret bool) {
	parts := strings.Split(query, "&")
	for i, part := range parts {
		if name, value, _ := strings.Cut(part, "="); value != "" && secretParameter(name) {
			parts[i], secret = name+"="+hidden, true
		}
	}
	return strings.Join(parts, "&"), secret
}

// secretParameter judges a name as it stands in a query.
func secretParameter(name string) bool {
	plain, err := url.QueryUnescape(name)
	return err != nil || SecretName(plain) || strings.EqualFold(plain, "key")
}

// HasMask reports whether ShowURL's mask stands in an address where a secret would: it is
// one that was shown, and no secret.
func HasMask(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	if u.User != nil {
		secret, has := u.User.Password()
		if !has {
			secret = u.User.Username()
		}
		if secret == hidden {
			return true
		}
	}
	for part := range strings.SplitSeq(u.RawQuery, "&") {
		if name, value, _ := strings.Cut(part, "="); value == hidden && secretParameter(name) {
			return true
		}
	}
	return false
}
