import { useSyncExternalStore } from "react";

const never = () => () => {};

/** Whether scripts have taken over: before, a button that needs them would do nothing. */
export const useHydrated = () => useSyncExternalStore(never, () => true, () => false);
