/**
 * Records of CIFAR-10's binary version, one a label. Red planes hold the item's number, green ones that plus 1, blue
 * ones that plus 2, modulo 256; their first pixels are 200, 210 and 220.
 */
export function cifar(labels: readonly number[], size = 32): Uint8Array {
  const plane = size * size;
  const bytes = new Uint8Array(labels.length * (1 + 3 * plane));
  labels.forEach((label, item) => {
    const start = item * (1 + 3 * plane);
    bytes[start] = label;
    for (let channel = 0; channel < 3; channel++) {
      const pixels = bytes.subarray(start + 1 + channel * plane, start + 1 + (channel + 1) * plane);
      pixels.fill(item + channel);
      pixels[0] = 200 + 10 * channel;
    }
  });
  return bytes;
}

/** Labels 0 to 9 over and over. */
export const labelsUpTo = (count: number): number[] => Array.from({ length: count }, (_, item) => item % 10);
