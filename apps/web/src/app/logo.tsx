/** Three stones, one on another. */
export function Logo({ className }: { readonly className?: string }) {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true" className={className}>
      <path
        d="M4.5 24.2c0-3 4.6-4.4 11.3-4.4s11.7 1.3 11.7 4.3-4.4 4.4-11.7 4.4S4.500 27.200 4.500 24.200Z"
        className="fill-accent"
      />
      <path
        d="M8 15.500c0-2.500 3.500-3.700 8.400-3.700s7.900 1.300 7.900 3.600-3.200 3.600-8 3.600S8 17.900 8 15.500Z"
        className="fill-accent opacity-75"
      />
      <path
        d="M11.500 7.900c0-2.300 2-3.900 4.800-3.900s4.700 1.400 4.700 3.500-2 3.500-4.900 3.500-4.600-1-4.600-3.100Z"
        className="fill-accent opacity-50"
      />
    </svg>
  );
}
