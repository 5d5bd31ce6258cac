/**
 * The one place where the component library is named. It is no longer developed upstream: everything else uses the elements by
 * their tags, so that another library means another version of this file.
 */
import { provideVSCodeDesignSystem, vsCodeButton, vsCodeProgressRing } from '@vscode/webview-ui-toolkit';

/** Makes the elements known to the page: `<vscode-button>`, `<vscode-progress-ring>`. */
export function registerComponents(): void {
  provideVSCodeDesignSystem().register(vsCodeButton(), vsCodeProgressRing());
}
