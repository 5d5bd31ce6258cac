import type { MachineOs } from '../domain.ts';

/** The shell that a command is written for. */
export type Shell = 'sh' | 'powershell';

/** A command that resumes a session, for the usual shell of its machine. */
export interface ResumeCommand {
  readonly shell: Shell;
  readonly text: string;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * The command that resumes `session` in `folder` on a machine; `null` when it cannot be written safely: a name with control characters could
 * end the command or repaint the terminal it is pasted into.
 */
export function resumeCommand(os: MachineOs, folder: string, session: string): ResumeCommand | null {
  // Unassigned, private and format characters too: what cannot be seen may not be in what somebody pastes.
  if (!UUID.test(session) || folder === '' || /[\p{Cc}\p{Cf}\u2028\u2029]/u.test(folder)) return null;
  if (os === 'windows') {
    // PowerShell takes typographic quotes for quotes too.
    const quoted = `'${folder.replace(/['\u2018\u2019\u201a\u201b]/g, '$&$&')}'`;
    return {
      shell: 'powershell',
      text: `Set-Location -LiteralPath ${quoted} -ErrorAction Stop; claude --resume ${session}`,
    };
  }
  // `--`: a folder may begin with a dash. Absolute paths never do, but they come from transcripts.
  const quoted = /^[A-Za-z0-9_./@%+=:,-]+$/.test(folder) ? folder : `'${folder.replaceAll("'", `'\\''`)}'`;
  return { shell: 'sh', text: `cd ${folder.startsWith('-') ? '-- ' : ''}${quoted} && claude --resume ${session}` };
}
