import { cleanup, fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, expect, it } from 'vitest';
import { editing, jsonId } from './arguments.svelte';
import Editor from './Editor.svelte';

afterEach(cleanup);

const schema = { type: 'object', properties: { n: { type: 'integer' } } };
function show() {
	const args = editing('tool', schema);
	render(Editor, { args, onsubmit: () => {} });
	return args;
}
const form = () => screen.getByRole('button', { name: 'Form' });
const json = (text: string) =>
	fireEvent.input(screen.getByLabelText('Arguments as JSON'), { target: { value: text } });

it('shows one value as a form and as JSON', async () => {
	const args = show();
	await fireEvent.input(screen.getByLabelText('n'), { target: { value: '4' } });
	await fireEvent.click(screen.getByRole('button', { name: 'JSON' }));
	expect(JSON.parse(args.text)).toEqual({ n: 4 });
	await json('{"n": 5, "more": true}');
	await fireEvent.click(form());
	expect(screen.getByLabelText<HTMLInputElement>('n').value).toBe('5');
	expect(args.value).toEqual({ n: 5, more: true });
});

it('has no form of what is no object, and says why', async () => {
	const args = show();
	await fireEvent.click(screen.getByRole('button', { name: 'JSON' }));
	for (const [typed, why] of [
		['', 'when this is JSON'],
		['{"n": ', 'when this is JSON'],
		['[1]', 'when this is an object'],
		['null', 'when this is an object'],
	] as const) {
		await json(typed);
		expect(form().hasAttribute('disabled'), typed).toBe(true);
		const reason = document.getElementById(form().getAttribute('aria-describedby') ?? '');
		expect(reason?.textContent, typed).toContain(why);
		expect(args.mode).toBe('json');
	}
	await json('{"n": 5}');
	expect(form().hasAttribute('disabled')).toBe(false);
	expect(form().hasAttribute('aria-describedby')).toBe(false);
});

it('says what cannot be sent at all, and what the schema does not allow', async () => {
	const args = show();
	await fireEvent.input(screen.getByLabelText('n'), { target: { value: 'x' } });
	expect(args.unreadable.length).toBe(1);
	await fireEvent.click(screen.getByRole('button', { name: 'JSON' }));
	await json('{"n": 1.5}');
	expect([args.unreadable, args.faults]).toEqual([[], []]);
	args.tried = true;
	expect(args.faults.map(({ id, pointer }) => [id, pointer])).toEqual([[jsonId, '/n']]);
});
