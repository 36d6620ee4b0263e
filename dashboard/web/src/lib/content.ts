// What a tool answered, block by block. All of it is a stranger's: text stays text,
// bytes become blobs of this page, and nothing is ever fetched.
import { isObject, own, type Json, type JsonObject } from './schema/json';

export type Block =
	| { kind: 'text'; text: string; json?: Json; raw: unknown }
	| { kind: 'image' | 'audio'; bytes: Uint8Array<ArrayBuffer>; mime: string; raw: unknown }
	| {
			kind: 'resource';
			uri: string;
			mime: string;
			text?: string;
			bytes?: Uint8Array<ArrayBuffer>;
			raw: unknown;
	  }
	| {
			kind: 'link';
			uri: string;
			name: string;
			title: string;
			description: string;
			mime: string;
			size?: number;
			raw: unknown;
	  }
	| { kind: 'unknown'; why: string; raw: unknown };

/** Blocks beyond these are in the raw answer only. */
export const maxBlocks = 500;
/** Text that is looked at for JSON. */
const maxJson = 1024 * 1024;

const images = new Set([
	'image/png',
	'image/jpeg',
	'image/gif',
	'image/webp',
	'image/avif',
	'image/bmp',
	'image/svg+xml',
	'image/x-icon',
]);

export function blocks(content: unknown): Block[] {
	return Array.isArray(content) ? content.slice(0, maxBlocks).map(block) : [];
}

export function block(raw: unknown): Block {
	const type = own(raw, 'type');
	switch (type) {
		case 'text': {
			const text = own(raw, 'text');
			if (typeof text !== 'string') return { kind: 'unknown', why: 'A text without text.', raw };
			const json = jsonIn(text);
			return { kind: 'text', text, ...(json === undefined ? {} : { json }), raw };
		}
		case 'image':
		case 'audio': {
			const mime = textOf(own(raw, 'mimeType')).split(';', 1)[0]!.trim().toLowerCase();
			const bytes = base64(own(raw, 'data'));
			if (!bytes) return { kind: 'unknown', why: `The data of this ${type} is not base64.`, raw };
			const shown = type === 'image' ? images.has(mime) : /^audio\/[\w.+-]+$/.test(mime);
			return shown
				? { kind: type, bytes, mime, raw }
				: { kind: 'unknown', why: `An ${type} of the type ${mime || 'nobody said'}.`, raw };
		}
		case 'resource': {
			const resource = own(raw, 'resource');
			if (!isObject(resource)) return { kind: 'unknown', why: 'A resource without contents.', raw };
			return { ...contents(resource), raw };
		}
		case 'resource_link':
			return {
				kind: 'link',
				uri: textOf(own(raw, 'uri')),
				name: textOf(own(raw, 'name')),
				title: textOf(own(raw, 'title')),
				description: textOf(own(raw, 'description')),
				mime: textOf(own(raw, 'mimeType')),
				...(typeof own(raw, 'size') === 'number' ? { size: own(raw, 'size') as number } : {}),
				raw,
			};
		default:
			return {
				kind: 'unknown',
				why: `Content of a type that this page does not know: ${JSON.stringify(type) ?? 'none'}.`,
				raw,
			};
	}
}

/** One of the contents of a resource, as resources/read answers it as well. */
export function contents(resource: JsonObject): Extract<Block, { kind: 'resource' }> {
	const text = own(resource, 'text');
	const bytes = base64(own(resource, 'blob'));
	return {
		kind: 'resource',
		uri: textOf(own(resource, 'uri')),
		mime: textOf(own(resource, 'mimeType')),
		...(typeof text === 'string' ? { text } : bytes ? { bytes } : {}),
		raw: resource,
	};
}

function textOf(value: unknown): string {
	return typeof value === 'string' ? value : '';
}

/** The JSON that a text is, if it is an object or a list. */
export function jsonIn(text: string): Json | undefined {
	const trimmed = text.trim();
	if (!/^[[{]/.test(trimmed) || trimmed.length > maxJson) return undefined;
	try {
		return JSON.parse(trimmed) as Json;
	} catch {
		return undefined;
	}
}

export function base64(data: unknown): Uint8Array<ArrayBuffer> | null {
	if (typeof data !== 'string') return null;
	try {
		return Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
	} catch {
		return null;
	}
}

export interface Table {
	/** Where in the value the rows are: '' or the name of a member. */
	at: string;
	columns: string[];
	rows: (Json | undefined)[][];
	total: number;
}

const maxTableRows = 500;
const maxColumns = 30;

/** The value as a table, if it is a list of flat objects or holds exactly one. */
export function table(value: unknown): Table | null {
	if (Array.isArray(value)) return rowsOf(value, '');
	if (!isObject(value)) return null;
	const lists = Object.keys(value).filter(
		(key) => Array.isArray(value[key]) && (value[key] as Json[]).length > 0,
	);
	if (lists.length !== 1) return null;
	return rowsOf(value[lists[0]!] as Json[], lists[0]!);
}

function rowsOf(list: Json[], at: string): Table | null {
	if (list.length === 0) return null;
	const columns = new Set<string>();
	for (const one of list) {
		if (!isObject(one)) return null;
		for (const key of Object.keys(one)) {
			const cell = one[key];
			if (typeof cell === 'object' && cell !== null) return null;
			columns.add(key);
			if (columns.size > maxColumns) return null;
		}
	}
	if (columns.size === 0) return null;
	const names = [...columns];
	return {
		at,
		columns: names,
		rows: list.slice(0, maxTableRows).map((one) => names.map((key) => own(one, key) as Json | undefined)),
		total: list.length,
	};
}

const extensions: Record<string, string> = {
	'image/jpeg': 'jpg',
	'image/svg+xml': 'svg',
	'image/x-icon': 'ico',
	'audio/mpeg': 'mp3',
	'audio/wav': 'wav',
	'audio/x-wav': 'wav',
	'text/plain': 'txt',
	'application/octet-stream': 'bin',
};

/** A file name for what is saved; never one that a stranger chose. */
export function fileName(stem: string, mime: string): string {
	const ending = extensions[mime] ?? /^[a-z]+\/([a-z0-9]{1,8})$/.exec(mime)?.[1] ?? 'bin';
	return `${stem.replace(/[^\w-]+/g, '-').slice(0, 60) || 'result'}.${ending}`;
}
