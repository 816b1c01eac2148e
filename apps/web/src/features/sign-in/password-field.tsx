import { Eye, EyeOff } from 'lucide-react';
import { useState } from 'react';
import { TextField, type TextFieldProps } from '../../ui/field.tsx';
import { IconButton } from '../../ui/icon-button.tsx';
import { t } from './strings.ts';

/** A password that can be looked at. */
export function PasswordField(props: Omit<TextFieldProps, 'type'>) {
  const [shown, setShown] = useState(false);
  return (
    <div className="relative">
      <TextField {...props} type={shown ? 'text' : 'password'} spellCheck={false} autoCapitalize="none" />
      <IconButton
        icon={shown ? EyeOff : Eye}
        small
        noTooltip
        label={shown ? t('hidePassword') : t('showPassword')}
        pressed={shown}
        onClick={() => setShown(!shown)}
        className="absolute top-7 right-1 pointer-coarse:top-7.5"
      />
    </div>
  );
}
