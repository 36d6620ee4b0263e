// Raw JSON text by path. JSON.parse would round large integers and re-spell
// floats and escapes, so a server that has to report what it really received
// takes the text itself.

const space = /[ \t\r\n]*/y;
const scalar = /[^,\]}\s]+/y;

function match(pattern, text, at) {
  pattern.lastIndex = at;
  const found = pattern.exec(text);
  if (!found) throw new SyntaxError(`not JSON at ${at}: ${text.slice(at, at + 20)}`);
  return pattern.lastIndex;
}

// Returns the offset behind the string that starts at at. No pattern: it would
// run out of stack on a string of megabytes.
function skipString(text, at) {
  for (let end = at + 1; ; end++) {
    end = text.indexOf('"', end);
    if (end < 0) throw new SyntaxError(`a string without end at ${at}`);
    let slashes = 0;
    while (text[end - 1 - slashes] === "\\") slashes++;
    if (slashes % 2 === 0) return end + 1;
  }
}

const skipSpace = (text, at) => match(space, text, at);

// Calls each(keyText, start, end) for every member of the object or element of
// the array that starts at at, and returns the offset behind it.
function walk(text, at, each) {
  const object = text[at] === "{";
  const close = object ? "}" : "]";
  at = skipSpace(text, at + 1);
  while (text[at] !== close) {
    let key;
    if (object) {
      const end = skipString(text, at);
      key = JSON.parse(text.slice(at, end));
      at = skipSpace(text, end);
      at = skipSpace(text, at + 1);
    }
    const start = at;
    at = skipValue(text, at);
    each(key, start, at);
    at = skipSpace(text, at);
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
  return at + 1;
}

function skipValue(text, at) {
  if (text[at] === "{" || text[at] === "[") return walk(text, at, () => {});
  return text[at] === '"' ? skipString(text, at) : match(scalar, text, at);
}

// The text of the member at path, or undefined.
export function rawMember(text, ...path) {
  let start = skipSpace(text, 0);
  let end = text.length;
  for (const want of path) {
    let found;
    if (text[start] !== "{") return undefined;
    walk(text, start, (key, from, to) => {
      if (key === want) found = [from, to];
    });
    if (!found) return undefined;
    [start, end] = found;
  }
  return text.slice(start, end);
}
