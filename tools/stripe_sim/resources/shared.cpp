// What several resources need of one object.
#include "stripe_sim/errors.hpp"
#include "stripe_sim/resources/resources.hpp"

namespace stripe_sim {

Json live_object(ApiCall& call, const std::string& object_name, const std::string& noun, const std::string& id,
                 const std::string& param) {
  const ObjectStore& store = call.objects(object_name);
  auto object = store.find(id);
  if (!object || store.is_deleted(id)) {
    throw no_such(noun, id, param);
  }
  return *object;
}

}  // namespace stripe_sim
