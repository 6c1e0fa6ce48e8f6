import { UserError } from '../../base/errors.js';

/** What every storage says when a study's name is in use. */
export function nameTaken(name: string, url: string): UserError {
  return new UserError(`study "${name}" exists in ${url}: choose another name, or load it (loadIfExists)`, {
    name,
    url,
  });
}

/** What every storage says when a study vanished under its user. */
export function studyGone(study: number, url: string): UserError {
  return new UserError(`study with id ${study} is no longer in ${url}: it was deleted`, { study, url });
}
