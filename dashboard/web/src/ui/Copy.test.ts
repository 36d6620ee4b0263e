import { cleanup, fireEvent, render, screen } from '@testing-library/svelte';
import { createRawSnippet, mount, unmount } from 'svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { said, unsay } from '../lib/toasts.svelte';
import Copy from './Copy.svelte';
import Dialog from './Dialog.svelte';
import JsonView from './JsonView.svelte';

// A page without HTTPS: no clipboard but what is selected where the focus is.
let allowed = true;
let clipboard: string;
beforeEach(() => {
	allowed = true;
	clipboard = 'as before';
	vi.stubGlobal('navigator', { userAgent: navigator.userAgent });
	document.execCommand = () => {
		const area = document.activeElement;
		if (area instanceof HTMLTextAreaElement) clipboard = area.value;
		return allowed; // with nothing selected, too
	};
});
afterEach(() => {
	cleanup();
	said.all.forEach((toast) => unsay(toast.id));
	vi.unstubAllGlobals();
});

/** A dialog around it, and the focus kept inside. */
async function within(props: { text: string }) {
	const children = createRawSnippet(() => ({
		render: () => '<div></div>',
		setup: (target) => {
			const inside = mount(Copy, { target, props });
			return () => void unmount(inside);
		},
	}));
	render(Dialog, { open: true, title: 'A call', onclose: () => {}, children });
	const dialog = await screen.findByRole('dialog');
	const trap = (event: FocusEvent) => {
		if (!dialog.contains(event.target as Node)) dialog.focus();
	};
	document.addEventListener('focusin', trap);
	return () => document.removeEventListener('focusin', trap);
}

test('a text is copied inside a dialog, too, and the focus stays', async () => {
	const end = await within({ text: 'the command' });
	const button = screen.getByRole('button', { name: 'Copy the text' });
	button.focus();
	await fireEvent.click(button);
	expect(clipboard).toBe('the command');
	expect(await screen.findByText('Copied')).toBeTruthy();
	expect(document.activeElement).toBe(button);
	expect(document.querySelector('textarea')).toBeNull();
	end();
});

test('what could not be copied is said', async () => {
	render(Copy, { text: 'x', what: 'the URL' });
	const button = screen.getByRole('button', { name: 'Copy the URL' });
	vi.spyOn(HTMLTextAreaElement.prototype, 'focus').mockImplementation(() => button.focus());
	vi.spyOn(HTMLTextAreaElement.prototype, 'select').mockImplementation(() => {});
	await fireEvent.click(button);
	await vi.waitFor(() => expect(said.all).toHaveLength(1));
	expect(said.all[0]?.text).toContain('does not let the URL be copied');
	expect(screen.queryByText('Copied')).toBeNull();
	vi.restoreAllMocks();
});

test('a value and a path are copied out of a small tree, which says so', async () => {
	render(JsonView, { value: { a: 'text' }, label: 'the result' });
	await fireEvent.click(screen.getByRole('button', { name: 'path' }));
	expect(clipboard).toBe('$.a');
	expect((await screen.findByText('path copied')).getAttribute('role')).toBe('status');
	const copies = screen.getAllByRole('button', { name: 'copy' });
	await fireEvent.click(copies[1] as HTMLElement);
	expect(clipboard).toBe('text');
	allowed = false;
	await fireEvent.click(copies[0] as HTMLElement);
	expect(await screen.findByText('The browser did not allow copying.')).toBeTruthy();
});
