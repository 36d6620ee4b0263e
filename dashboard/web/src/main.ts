import './app.css';
import './lib/hello.svelte'; // listens before the stream is open
import { mount } from 'svelte';
import { connection } from './lib/events.svelte';
import { insist } from './lib/insist';
import { session } from './lib/session.svelte';
import { follow } from './lib/store.svelte';
import { restyle } from './lib/styles';
import App from './App.svelte';

// Of the frame's own stylesheets none is missing by now, or it did not come.
const styled = insist(restyle).catch(() => undefined); // rather plain than not at all
// First of all, or each question would be one that is refused.
await Promise.all([session.begin(), styled]);
follow();
if (!session.out) connection.open();
const target = document.getElementById('app');
if (target) mount(App, { target });
