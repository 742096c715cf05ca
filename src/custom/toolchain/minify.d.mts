export function minify(wgsl: string): string;
