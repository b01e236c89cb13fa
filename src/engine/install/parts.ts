/** What `atmorep engine install` fetches: of each Python wheel the files that are kept, and where they go. */

import { BLOSC, ECCODES } from "../../native/index.js";

/** What pip is asked for. */
export interface Download {
  /** such as `llvmlite==0.50.0`; several with spaces between */
  requirement: string;
  size: string;
  /** with the packages it depends on */
  dependencies?: boolean;
  /** SHA-256 of the wheels, hexadecimal; another one is refused */
  sha256?: readonly string[];
}

export interface Part {
  /** for a person, and the name in a list of what was fetched */
  name: string;
  /** the version that the engine is tested with */
  version: string;
  /** the environment variable that names its first folder */
  variable: string;
  /** folders below the install folder that hold it and nothing else; the first also holds the list of its files */
  folders: readonly string[];
  /** entries of a wheel without which there is no such part */
  library: RegExp;
  download(gpu: boolean): Download;
  /** the file, below the install folder, that an entry of a wheel becomes; null if the entry is not wanted */
  place(entry: string): string | null;
}

const TENSORFLOW_LIBRARY = /^tensorflow\/libtensorflow_(cc|framework)\.(so\.2|2\.dylib)$/;
const NVIDIA_LIBRARY = /^nvidia\/.*\/lib\/[^/]*\.so[^/]*$/;

/** Its libraries look for NVIDIA's in `../nvidia`, as the wheels lay them out. */
export const TENSORFLOW: Part = {
  name: "TensorFlow",
  version: "2.21.0",
  variable: "ATMOREP_TENSORFLOW",
  folders: ["tensorflow", "nvidia"],
  library: TENSORFLOW_LIBRARY,
  download(gpu) {
    if (gpu) return { requirement: `tensorflow[and-cuda]==${this.version}`, size: "about 3 GB", dependencies: true };
    const name = process.platform === "linux" && process.arch === "x64" ? "tensorflow-cpu" : "tensorflow";
    return { requirement: `${name}==${this.version}`, size: "about 275 MB" };
  },
  place: (entry) => (TENSORFLOW_LIBRARY.test(entry) || NVIDIA_LIBRARY.test(entry) ? entry : null),
};

const LLVM_FILE = /^llvmlite\/binding\/(libllvmlite\.(?:so|dylib))$/;
const LLVM_LICENCE = /^llvmlite-[^/]*\.dist-info\/(?:licenses\/)?(LICENSE[^/]*)$/;

/** llvmlite's library holds LLVM whole; the licences of both lie beside it. */
export const LLVM: Part = {
  name: "llvmlite",
  version: "0.50.0",
  variable: "ATMOREP_LLVM",
  folders: ["llvmlite"],
  library: LLVM_FILE,
  download() {
    return { requirement: `${this.name}==${this.version}`, size: "about 60 MB" };
  },
  place(entry) {
    const file = (LLVM_FILE.exec(entry) ?? LLVM_LICENCE.exec(entry))?.[1];
    return file ? `llvmlite/${file}` : null;
  },
};

const BLOSC_FILE = /^blosc2\/lib\/(libblosc2\.(?:so|dylib))$/;
const BLOSC_LICENCE = /^blosc2-[^/]*\.dist-info\/licenses\/(LICENSE[^/]*)$/;

/** Decodes the chunks of stores; the wheel's library holds zstd and lz4 too. */
export const BLOSC_PART: Part = {
  name: "blosc2",
  version: "4.14.1",
  variable: BLOSC.variable,
  folders: [BLOSC.installed],
  library: BLOSC_FILE,
  download() {
    return { requirement: `${this.name}==${this.version}`, size: "about 7 MB", sha256: BLOSC_WHEELS };
  },
  place(entry) {
    const file = (BLOSC_FILE.exec(entry) ?? BLOSC_LICENCE.exec(entry))?.[1];
    return file ? `${BLOSC.installed}/${file}` : null;
  },
};

/** blosc2 4.14.1 for Linux on x64 and arm64, macOS on arm64. */
const BLOSC_WHEELS = [
  "d5e65efe80740651c3b39a9fd98478f073c57bed51f7eebe1fdfe248dc259e37",
  "411d9fa31c559f0b016c16611101ccd0e03d38dc89ab1bc94178aa3757ce756a",
  "fb2960ff411e2c1cffa6209932b5ee344fb46208906c3de79e8f23531df82e8a",
];

/** Libraries of a package's own folder, and of the folder beside it with those of others; without Fortran's and the tools. */
const ECCODES_FILE =
  /^(eccodeslib\/lib(64)?|eckitlib\/lib(64)?|eckitlib\.libs|eckitlib\/\.dylibs)\/[^/]+\.(so(\.[^/]*)?|dylib)$/;
const ECCODES_LICENCE = /^(eccodeslib|eckitlib)-[^/]*\.dist-info\/licenses\/(LICENSE|AUTHORS)$/;

/** Unpacks GRIB. The two packages lie beside each other, since their libraries look for one another so. */
export const ECCODES_PART: Part = {
  name: "eccodeslib",
  version: "2.50.0.33",
  variable: ECCODES.variable,
  folders: [ECCODES.installed],
  library: /^eccodeslib\/lib(64)?\/libeccodes\.(so|dylib)$/,
  download() {
    return {
      requirement: `${this.name}==${this.version} eckitlib==2.5.0.33`,
      size: "about 45 MB",
      sha256: ECCODES_WHEELS,
    };
  },
  place(entry) {
    if (ECCODES_FILE.test(entry)) return `${ECCODES.installed}/${entry}`;
    const licence = ECCODES_LICENCE.exec(entry);
    return licence ? `${ECCODES.installed}/${licence[1]}/${licence[2]}` : null;
  },
};

/** eccodeslib 2.50.0.33 and eckitlib 2.5.0.33 for Linux on x64 and arm64, macOS 15 on arm64. */
const ECCODES_WHEELS = [
  "885fab767bbfde0158c22dfb704d9a9a94f3655eab31ff5d60caf6e59f76b824",
  "492b96f09cd644f844152d8bdae23dcff0b2daf2c20b33c16f0f3b9311cdf413",
  "b9e82e973e9e5e7623f4940037b190ceb1c61eaed316d00de15a5173ea2e428f",
  "d4e0d1ffc87d8943bd71238d95d6a481e7a88324e6f77bf20d871746e903d24c",
  "e5b21857e6a01cbb62cf1492a5d4d004542a1a29a549574a28d1bdf476ed5190",
  "612d52943165efacb381f410e47e720f76ef1dfca3b15f3d4bd5edf378d84227",
];

export const PARTS = [TENSORFLOW, LLVM, BLOSC_PART, ECCODES_PART];

/** What `engine install --only` takes. */
export const ONLY = { tensorflow: TENSORFLOW, llvm: LLVM, blosc: BLOSC_PART, eccodes: ECCODES_PART } as const;
export type OnlyName = keyof typeof ONLY;
