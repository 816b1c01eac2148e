import { useState } from 'react';

/** A choice that this browser remembers, such as the order of a list. Anything but `choices` is forgotten. */
export function useKeptChoice<Choice extends string>(
  key: string,
  choices: readonly Choice[],
  initial: Choice,
): readonly [Choice, (choice: Choice) => void] {
  const [value, setValue] = useState<Choice>(() => {
    const kept = localStorage.getItem(`cairn-${key}`);
    return choices.find((choice) => choice === kept) ?? initial;
  });
  return [
    value,
    (choice) => {
      localStorage.setItem(`cairn-${key}`, choice);
      setValue(choice);
    },
  ];
}
