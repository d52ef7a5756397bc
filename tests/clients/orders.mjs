// A gRPC service whose messages are plain bytes.
const method = (name) => ({
  path: `/orders.Orders/${name}`,
  requestStream: false,
  responseStream: false,
  requestSerialize: (bytes) => bytes,
  requestDeserialize: (bytes) => bytes,
  responseSerialize: (bytes) => bytes,
  responseDeserialize: (bytes) => bytes,
});

export const methods = { get: method("Get"), list: method("List") };
