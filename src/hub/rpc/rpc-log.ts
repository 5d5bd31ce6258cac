/** The part of the hub's logger that the RPC layer uses (a pino logger fits). Never gets parameters or results, only names. */
export interface RpcLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** A log that keeps nothing, for clients. */
export const SILENT_LOG: RpcLog = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
