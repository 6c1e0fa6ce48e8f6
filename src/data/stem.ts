/**
 * The stem of an item by the path or address of its image: without ending, scheme, and parts such as `..`, so that what is
 * written under this name stays in its folder.
 *
 * @example
 * stemOf('../images/cat.1.jpg'); // => 'images/cat.1'
 */
export function stemOf(path: string): string {
  const parts = path
    .replace(/^https?:\/\//i, '')
    .split(/[/\\]/)
    .filter((part) => part !== '' && part !== '.' && part !== '..');
  return parts
    .join('/')
    .replace(/\.[^./]+$/, '')
    .normalize();
}
