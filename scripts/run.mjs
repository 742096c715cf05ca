import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

/** The repository's folder. */
export const root = fileURLToPath(new URL('..', import.meta.url));

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs a program in the repository's folder on this terminal, and outlives it: a signal is the child's to answer (by
 * saving its work, say), and what it answers is what comes back here.
 * @param {string} program
 * @param {string[]} args
 * @param {{ environment?: NodeJS.ProcessEnv, shell?: boolean }} [options] `environment` replaces this process's own
 * @returns {Promise<number>} its exit code; 128 + n if signal n ended it
 */
export function run(program, args, { environment = process.env, shell = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, env: environment, shell, stdio: 'inherit' });
    // A terminal sends Ctrl-C to the whole process group, so the child has it already; twice may mean "at once" to it.
    const inTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
    const forward = (signal) => {
      if (signal !== 'SIGINT' || !inTerminal) child.kill(signal);
    };
    for (const signal of signals) process.on(signal, forward);
    const end = () => signals.forEach((signal) => process.off(signal, forward));
    child.once('error', (error) => {
      end();
      reject(error);
    });
    child.once('exit', (code, signal) => {
      end();
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}

/** As `run`, for a JavaScript file in this Node. */
export function runNode(args, options) {
  return run(process.execPath, args, options);
}

/**
 * What a launcher is: this process exits with the code that `work` gives; where it fails, with that of the step that
 * failed, having said why in one line.
 * @param {() => Promise<number | void>} work
 */
export async function launch(work) {
  try {
    process.exitCode = (await work()) ?? 0;
  } catch (error) {
    console.error(error.message);
    process.exitCode = error.exitCode ?? 1;
  }
}
