/** The hashes of a log say how many of its bytes they cover: the last segment is rarely full. Nothing was ever written before. */
export const segmentCoverage = `
ALTER TABLE segments ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
`;
