declare module 'virtual:world' {
	/** size of the map, and each country's code ('' where it has none) with its shape */
	export const width: number;
	export const height: number;
	export const countries: [code: string, path: string][];
}
