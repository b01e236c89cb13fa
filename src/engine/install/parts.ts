/** What `atmorep engine install` fetches: of each Python wheel the files that are kept, and where they go. */

import { BLOSC, ECCODES } from "../../native/index.js";
import { BLOSC_WHEELS, ECCODES_WHEELS, GPU_WHEELS, LLVM_WHEELS, NVIDIA_PACKAGES, TENSORFLOW_WHEELS } from "./pins.js";

/** What pip is asked for. */
export interface Download {
  /** such as `llvmlite==0.50.0`; several with spaces between */
  requirement: string;
  size: string;
  /** SHA-256 of the wheels, hexadecimal; another one is refused */
  sha256: readonly string[];
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
    if (gpu) {
      return {
        requirement: `tensorflow==${this.version} ${NVIDIA_PACKAGES}`,
        size: "about 3 GB",
        sha256: GPU_WHEELS,
      };
    }
    const name = process.platform === "linux" && process.arch === "x64" ? "tensorflow-cpu" : "tensorflow";
    return { requirement: `${name}==${this.version}`, size: "about 275 MB", sha256: TENSORFLOW_WHEELS };
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
    return { requirement: `${this.name}==${this.version}`, size: "about 60 MB", sha256: LLVM_WHEELS };
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

export const PARTS = [TENSORFLOW, LLVM, BLOSC_PART, ECCODES_PART];

/** What `engine install --only` takes. */
export const ONLY = { tensorflow: TENSORFLOW, llvm: LLVM, blosc: BLOSC_PART, eccodes: ECCODES_PART } as const;
export type OnlyName = keyof typeof ONLY;
