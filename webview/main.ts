import { registerComponents } from './ui.ts';

registerComponents();
