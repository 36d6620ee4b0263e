import './app.css';
import { mount } from 'svelte';
import { connection } from './lib/events.svelte';
import App from './App.svelte';

connection.open();
const target = document.getElementById('app');
if (target) mount(App, { target });
