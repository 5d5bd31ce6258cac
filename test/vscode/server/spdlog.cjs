/** What VS Code needs of its native logger, in JavaScript: lines appended to a file. The native one has to be compiled. */
const { appendFileSync, mkdirSync } = require('node:fs');
const { dirname } = require('node:path');

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'critical'];

class Logger {
  #file;
  #level = 2;
  #isBare = false;

  constructor(_type, _name, file) {
    this.#file = file;
    mkdirSync(dirname(file), { recursive: true });
    appendFileSync(file, '');
    for (const [level, name] of LEVELS.entries()) this[name] = (message) => this.#write(level, name, message);
  }

  #write(level, name, message) {
    if (level < this.#level) return;
    const time = new Date().toISOString().replace('T', ' ').replace('Z', '');
    appendFileSync(this.#file, this.#isBare ? message : `${time} [${name}] ${message}\n`);
  }

  getLevel() {
    return this.#level;
  }

  setLevel(level) {
    this.#level = level;
  }

  clearFormatters() {
    this.#isBare = true;
  }

  setPattern() {}

  flush() {}

  drop() {}
}

const create = async (name, file) => new Logger('file', name, file);

// One by one: an `import` finds only what is assigned like this.
exports.version = 0;
exports.setLevel = () => undefined;
exports.setFlushOn = () => undefined;
exports.Logger = Logger;
exports.createRotatingLogger = create;
exports.createAsyncRotatingLogger = create;
