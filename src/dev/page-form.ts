/**
 * The forms of a page, as a script can fill them. Reads the pages of this provider, not the web's.
 *
 * @module
 */

/** A control with a name and the value that it would send. */
export interface Control {
  readonly name: string;
  readonly value: string;
}

/** One form. */
export interface PageForm {
  readonly action: string;
  /** Fields that are sent in any case. */
  readonly hidden: Record<string, string>;
  /** Ticked by default. */
  readonly checkboxes: readonly Control[];
  /** The one pressed is sent. */
  readonly buttons: readonly Control[];
}

const FORM = /<form\b([^>]*)>([\s\S]*?)<\/form>/g;
const CONTROL = /<(?:input|button)\b([^>]*)>/g;
const ATTRIBUTE = /([a-z-]+)="([^"]*)"/g;

/** Finds the forms. */
export function readForms(page: string): readonly PageForm[] {
  return [...page.matchAll(FORM)].map(([, attributes = '', content = '']) => {
    const controls = [...content.matchAll(CONTROL)].map(([, text = '']) => attributesOf(text));
    const ofType = (type: string): readonly Control[] =>
      controls
        .filter((control) => control.get('type') === type)
        .map((control) => ({ name: control.get('name') ?? '', value: control.get('value') ?? '' }));
    return {
      action: attributesOf(attributes).get('action') ?? '',
      hidden: Object.fromEntries(ofType('hidden').map(({ name, value }) => [name, value])),
      checkboxes: ofType('checkbox'),
      buttons: ofType('submit'),
    };
  });
}

function attributesOf(text: string): ReadonlyMap<string, string> {
  return new Map(
    [...text.matchAll(ATTRIBUTE)].map(([, name = '', value = '']) => [name, unescape(value)]),
  );
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
  '&amp;': '&',
};

function unescape(text: string): string {
  return text.replace(/&(?:lt|gt|quot|#39|amp);/g, (entity) => ENTITIES[entity] ?? entity);
}
