import manifest from '../../package.json' with { type: 'json' };

/** Version of the product, the one of package.json. */
export const PRODUCT_VERSION: string = manifest.version;
