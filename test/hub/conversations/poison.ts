/** The session over which the fragile worker dies. */
export const POISON = 'dddddddd-dead-4ead-8ead-deaddeaddead';
