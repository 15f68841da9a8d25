/** Whether arrays are equal or close. */
export {};
