/**
 * SHA-256 of the wheels that this version was tested with, as the Python package index lists them; another one is refused.
 * Those of TensorFlow and llvmlite are CPython 3.11's, whose libraries do not depend on it.
 */

/** tensorflow-cpu 2.21.0 for Linux on x64, tensorflow for Linux on arm64 and macOS on arm64. */
export const TENSORFLOW_WHEELS: readonly string[] = [
  "2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c",
  "4b24aca16d527a3cf1c37f720c04c484c3d20f4d0fdfa98632ac8b9f3be6eb5c",
  "51f46f4806139d01fc7920cc72a4c75876f80649bf40ff083ab6212ceb43ca88",
];

/** What TensorFlow 2.21.0 with `and-cuda` takes of NVIDIA's packages. */
export const NVIDIA_PACKAGES = [
  "nvidia-cublas-cu12==12.9.3.13",
  "nvidia-cuda-cupti-cu12==12.8.90",
  "nvidia-cuda-nvcc-cu12==12.9.86",
  "nvidia-cuda-nvrtc-cu12==12.9.86",
  "nvidia-cuda-runtime-cu12==12.9.79",
  "nvidia-cudnn-cu12==9.28.0.42",
  "nvidia-cufft-cu12==11.4.1.4",
  "nvidia-curand-cu12==10.3.10.19",
  "nvidia-cusolver-cu12==11.7.5.82",
  "nvidia-cusparse-cu12==12.5.10.65",
  "nvidia-nccl-cu12==2.32.3",
  "nvidia-nvjitlink-cu12==12.9.86",
].join(" ");

/** tensorflow 2.21.0 and NVIDIA's packages for Linux on x64. */
export const GPU_WHEELS: readonly string[] = [
  "9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124",
  "d7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72",
  "ea0cb07ebda26bb9b29ba82cda34849e73c166c18162d3913575b0c9db9a6182",
  "5d6a0d32fdc7ea39917c20065614ae93add6f577d840233237ff08e9a38f58f0",
  "210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4",
  "25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3",
  "9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375",
  "c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28",
  "49b274db4780d421bd2ccd362e1415c13887c53c214f0d4b761752b8f9f6aa1e",
  "15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88",
  "73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78",
  "bb94b2348e4861d5e8aa00b36c3d12d9bdf9c6369b82cbb723de0b582280a21c",
  "e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9",
];

/** llvmlite 0.50.0 for Linux on x64 and arm64, macOS on arm64. */
export const LLVM_WHEELS: readonly string[] = [
  "a6ffde00d4be8772a24e3e8b3af6bf86a79e7cf066d944ef56136b3957d707dc",
  "0225351ad77ea30501fc5b4c09ff6868169fde50c5a576cdfda1645091157616",
  "818b3d4845ac8e126e23cb500867570d0602a42a43e67b14acec31f046e03130",
];

/** blosc2 4.14.1 for Linux on x64 and arm64, macOS on arm64. */
export const BLOSC_WHEELS: readonly string[] = [
  "d5e65efe80740651c3b39a9fd98478f073c57bed51f7eebe1fdfe248dc259e37",
  "411d9fa31c559f0b016c16611101ccd0e03d38dc89ab1bc94178aa3757ce756a",
  "fb2960ff411e2c1cffa6209932b5ee344fb46208906c3de79e8f23531df82e8a",
];

/** eccodeslib 2.50.0.33 and eckitlib 2.5.0.33 for Linux on x64 and arm64, macOS 15 on arm64. */
export const ECCODES_WHEELS: readonly string[] = [
  "885fab767bbfde0158c22dfb704d9a9a94f3655eab31ff5d60caf6e59f76b824",
  "492b96f09cd644f844152d8bdae23dcff0b2daf2c20b33c16f0f3b9311cdf413",
  "b9e82e973e9e5e7623f4940037b190ceb1c61eaed316d00de15a5173ea2e428f",
  "d4e0d1ffc87d8943bd71238d95d6a481e7a88324e6f77bf20d871746e903d24c",
  "e5b21857e6a01cbb62cf1492a5d4d004542a1a29a549574a28d1bdf476ed5190",
  "612d52943165efacb381f410e47e720f76ef1dfca3b15f3d4bd5edf378d84227",
];
