/** Where others reach a service that listens on all addresses of its machine: by the machine's name. */

const everyAddress = new Set(['0.0.0.0', '::'])

/** `url` as it is told to others; `hostname` takes the place of the address when `host` stands for all of them. */
export function announcedUrl(
  url: string,
  { host, hostname }: { readonly host: string; readonly hostname: string },
): string {
  if (!everyAddress.has(host)) return url
  const announced = new URL(url)
  announced.hostname = hostname
  return announced.origin
}
