import type { Node } from 'jsonc-parser';
import { isSharedSetting, unsafeValue } from './shared-keys.ts';
import type { SettingsFile } from './settings-file.ts';

/** The shared part of a settings file: each key with its value as JSON in its one canonical spelling. */
export type SharedSettings = ReadonlyMap<string, string>;

/** Names that would reach an object's prototype in a careless reader; refused wherever they appear in a value. */
const PROTOTYPE_NAMES = new Set(['__proto__', 'constructor', 'prototype']);

/** Takes the allowed keys out of a settings file, or says which of their values is not fit to travel. */
export function sharedPartOf(
  file: SettingsFile,
): { readonly kind: 'ok'; readonly shared: SharedSettings } | { readonly kind: 'unreadable'; readonly reason: string } {
  const shared = new Map<string, string>();
  for (const { name, value } of file.members) {
    if (!isSharedSetting(name)) continue;
    const json = canonicalValue(value, true);
    const unsafe = json === null ? 'it is neither a plain value nor a list or object of plain values' : null;
    const reason = unsafe ?? unsafeValue(name, value.value);
    // Left out, the key would look deleted, and would be deleted on all other machines.
    if (json === null || reason !== null) return { kind: 'unreadable', reason: `${JSON.stringify(name)}: ${reason}` };
    shared.set(name, json);
  }
  return { kind: 'ok', shared };
}

/** The canonical bytes of shared settings: one JSON object, keys sorted, no spaces, no newline. */
export function writeCanonical(shared: SharedSettings): Buffer {
  const names = [...shared.keys()].sort();
  return Buffer.from(`{${names.map((name) => `${JSON.stringify(name)}:${shared.get(name)}`).join(',')}}`);
}

/** JSON of a value in its canonical spelling; `null` when it is not a plain value, nor (at the top) a flat list or object. */
function canonicalValue(node: Node, isTop: boolean): string | null {
  switch (node.type) {
    case 'string':
    case 'boolean':
    case 'null':
      return JSON.stringify(node.value);
    case 'number':
      return Number.isFinite(node.value) ? JSON.stringify(node.value) : null;
    case 'array': {
      if (!isTop) return null;
      const items = (node.children ?? []).map((child) => canonicalValue(child, false));
      return items.includes(null) ? null : `[${items.join(',')}]`;
    }
    case 'object':
      return isTop ? canonicalObject(node) : null;
    case 'property':
      return null;
  }
}

function canonicalObject(node: Node): string | null {
  const members = new Map<string, string>();
  for (const property of node.children ?? []) {
    const [name, value] = property.children ?? [];
    const json = value ? canonicalValue(value, false) : null;
    if (typeof name?.value !== 'string' || json === null) return null;
    if (PROTOTYPE_NAMES.has(name.value) || members.has(name.value)) return null;
    members.set(name.value, json);
  }
  return writeCanonical(members).toString();
}
