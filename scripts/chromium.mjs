/**
 * What `@sparticuz/chromium` carries, unpacked on first use into `node_modules/.cache`: a headless Chromium, and
 * SwiftShader, the Vulkan driver that needs no GPU, with a Vulkan loader. Built for x86-64 Linux only.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { root } from './run.mjs';

const carrier = join(root, 'node_modules/@sparticuz/chromium');

/** Where this project's scripts keep what they can make again. */
export const cache = join(root, 'node_modules/.cache/exitgpu');

/** Why nothing can be unpacked here, or undefined if it can. */
export function unavailable() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return `built for x86-64 Linux, this is ${process.platform} ${process.arch}`;
  }
  return existsSync(carrier) ? undefined : 'the package @sparticuz/chromium is not installed';
}

/** @returns {string} the Vulkan driver file of SwiftShader; its folder also holds a Vulkan loader, `libvulkan.so.1` */
export function swiftshaderDriver() {
  return join(unpack('swiftshader', ['swiftshader.tar.br']), 'vk_swiftshader_icd.json');
}

/**
 * A Chromium with WebGPU, as Playwright's launch options.
 * @returns {{ executablePath: string, args: string[], env: NodeJS.ProcessEnv }}
 */
export function chromium() {
  // Chromium looks for SwiftShader beside itself.
  const files = ['chromium.br', 'swiftshader.tar.br', 'al2023.tar.br', 'fonts.tar.br'];
  const folder = unpack('chromium', files, writeFontsConf);
  return {
    executablePath: join(folder, 'chromium'),
    args: ['--enable-unsafe-webgpu', '--no-sandbox'],
    env: {
      ...process.env,
      LD_LIBRARY_PATH: prepend(join(folder, 'lib'), process.env.LD_LIBRARY_PATH),
      FONTCONFIG_FILE: join(folder, 'fonts.conf'),
    },
  };
}

/** A list of paths with `path` in front. */
export function prepend(path, list) {
  return list ? path + delimiter + list : path;
}

/** Unpacks into a folder of its own and renames that, so that the target is whole or absent, in a race too. */
function unpack(name, files, finish = () => {}) {
  const { version } = JSON.parse(readFileSync(join(carrier, 'package.json'), 'utf8'));
  const target = join(cache, `${name}-${version}`);
  if (existsSync(target)) return target;
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(`${target}-`);
  for (const file of files) {
    const data = brotliDecompressSync(readFileSync(join(carrier, 'bin', file)));
    if (file.endsWith('.tar.br')) {
      execFileSync('tar', ['-x', '--no-same-owner', '-C', folder], { input: data });
    } else {
      const program = join(folder, file.replace('.br', ''));
      writeFileSync(program, data);
      chmodSync(program, 0o755);
    }
  }
  finish(folder, target);
  chmodSync(folder, 0o755);
  try {
    renameSync(folder, target);
  } catch (error) {
    rmSync(folder, { recursive: true });
    if (!existsSync(target)) throw error;
  }
  return target;
}

/** The configuration in the archive names the folders of another system. */
function writeFontsConf(folder, target) {
  writeFileSync(
    join(folder, 'fonts.conf'),
    `<fontconfig><dir>${target}/fonts</dir><cachedir>${target}/fonts-cache</cachedir></fontconfig>\n`,
  );
}
