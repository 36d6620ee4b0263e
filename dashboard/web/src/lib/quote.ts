// Text made safe for the language that it is pasted into.

/** One word of a POSIX shell; PowerShell reads it the same while it has no quotes in it. */
export function shell(text: string): string {
	return /^[\w/:=.,@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Words of a command; one that is empty is left out. */
export function command(...words: string[]): string {
	return words.filter(Boolean).map(shell).join(' ');
}

/** JSON as people write it in files. */
export function json(value: unknown): string {
	return JSON.stringify(value, null, 2);
}

/** A TOML string: JSON's escapes are TOML's, but for DEL. */
export function toml(text: string): string {
	return JSON.stringify(text).replaceAll('\u007f', '\\u007f');
}

/** A key of a TOML table. */
export function tomlKey(text: string): string {
	return /^[\w-]+$/.test(text) ? text : toml(text);
}

/** A YAML string in a compose file, which would put variables in place of dollars. */
export function compose(text: string): string {
	return JSON.stringify(text).replaceAll('$', '$$$$').replaceAll('\u007f', '\\x7f');
}

/** A key of a YAML map. */
export function yamlKey(text: string): string {
	return /^[A-Za-z][\w.-]*$/.test(text) && !/^(?:y|n|yes|no|on|off|true|false|null)$/i.test(text)
		? text
		: JSON.stringify(text);
}

/** Base64 of the UTF-8 of a text. */
export function base64(text: string): string {
	return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
