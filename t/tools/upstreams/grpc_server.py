"""A gRPC server whose every method answers the metadata it was called with
and the message; prints its port.  Messages are bytes, so no .proto.
"""

from concurrent import futures

import grpc


def show(message, context):
    lines = [f'{name}: {value}\n'
             for name, value in context.invocation_metadata()]
    return ''.join(sorted(lines)).encode('latin-1') + b'\n' + message


class AnyMethod(grpc.GenericRpcHandler):
    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(show)


server = grpc.server(futures.ThreadPoolExecutor(2))
server.add_generic_rpc_handlers((AnyMethod(),))
print(server.add_insecure_port('127.0.0.1:0'), flush=True)
server.start()
server.wait_for_termination()
