import { CONVERSATION_SCENES } from './conversation-scenes.ts';
import { DOCUMENT_SCENES } from './document-scenes.ts';
import { SAFEGUARD_SCENES } from './safeguard-scenes.ts';
import type { Scenes } from './scene.ts';

/** For each guard a small world in which something breaks without it, and nothing with it (docs/sync.md section 12). */
export const SCENES: Scenes = { ...CONVERSATION_SCENES, ...DOCUMENT_SCENES, ...SAFEGUARD_SCENES };
